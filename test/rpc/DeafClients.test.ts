import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Queue from "effect/Queue"
import type { Socket } from "node:net"
import { Connections } from "../../src/rpc/Connections.ts"
import * as Metrics from "../../src/telemetry/Metrics.ts"
import { eventually } from "../support/Eventually.ts"
import { frame, upgrade } from "../support/RawClient.ts"
import { camera, connect, connectAs, layer, layerOnSockets, port, tokenFor } from "./Harness.ts"

const ping = { jsonrpc: "2.0", id: 1, method: "ping" }

/** A client that has shaken hands and authenticated, and from then on sends and never reads. */
const connectDeaf = Effect.gen(function* () {
  const { socket } = yield* upgrade(yield* port)
  const { all } = yield* Connections
  const connection = Array.from(all.values()).at(-1)
  const params = { auth_token: yield* tokenFor("viewer") }
  socket.write(frame(JSON.stringify({ jsonrpc: "2.0", id: 0, method: "authenticate", params })))
  yield* eventually(
    "it has authenticated",
    Effect.sync(() => connection?.session !== undefined)
  )
  return { socket, connection }
})

/** writes until the other side takes no more */
const flood = (socket: Socket, text: Buffer) =>
  Effect.callback<number>((resume) => {
    let sent = 0
    let untaken = 0
    const more = () => {
      untaken = 0
      while (socket.write(text)) sent += text.length
      sent += text.length
    }
    socket.on("drain", more)
    more()
    // the server has had the loop for so many rounds without taking anything
    const poll = () => {
      if (++untaken > 2000) resume(Effect.succeed(sent))
      else setImmediate(poll)
    }
    setImmediate(poll)
  })

it.live("a client that asks and never reads is not read any more, and costs little", () =>
  Effect.gen(function* () {
    const { connection, socket } = yield* connectDeaf
    const pings = Buffer.concat(Array.from({ length: 100 }, () => frame(JSON.stringify(ping))))
    const sent = yield* flood(socket, pings)
    // far less than was written before: the rest of it waits at the client
    expect(connection?.peer.buffered()).toBeGreaterThan(64 << 10)
    expect(connection?.peer.buffered()).toBeLessThan(256 << 10)
    expect(sent).toBeGreaterThan(1 << 20)
    expect(yield* (yield* connect()).call(ping)).toMatchObject({ result: "pong" })
  }).pipe(Effect.provide(layerOnSockets()))
)

it.live("one that has not authenticated costs less", () =>
  Effect.gen(function* () {
    const { socket } = yield* upgrade(yield* port)
    const connection = Array.from((yield* Connections).all.values()).at(-1)
    yield* flood(socket, Buffer.concat(Array.from({ length: 100 }, () => frame(JSON.stringify(ping)))))
    expect(connection?.peer.buffered()).toBeGreaterThan(0)
    expect(connection?.peer.buffered()).toBeLessThan(16 << 10)
    expect(yield* (yield* connect()).call(ping)).toMatchObject({ result: "pong" })
  }).pipe(Effect.provide(layerOnSockets()))
)

it.live("a client that leaves megabytes of replies unread is cut", () => {
  const gate = Deferred.makeUnsafe<void>()
  const started = Queue.unbounded<void>().pipe(Effect.runSync)
  const big = {
    status: "ready" as const,
    message: "x".repeat(512 << 10),
    available_cameras: [],
    discovery_active: false
  }
  const handlers = {
    get_system_status: () =>
      Effect.gen(function* () {
        yield* Queue.offer(started, undefined)
        yield* Deferred.await(gate)
        return big
      })
  }
  return Effect.gen(function* () {
    const { connection, socket } = yield* connectDeaf
    const gone = Effect.callback<void>((resume) => {
      socket.once("close", () => resume(Effect.void))
      socket.once("end", () => resume(Effect.void))
      socket.once("error", () => resume(Effect.void))
    })
    for (let id = 1; id <= 60; id++) {
      socket.write(frame(JSON.stringify({ jsonrpc: "2.0", id, method: "get_system_status" })))
    }
    yield* Queue.takeN(started, 60)
    yield* Deferred.succeed(gate, undefined)
    // 30 MB of replies came at once
    const other = yield* connect()
    expect(yield* other.call(ping)).toMatchObject({ result: "pong" })
    expect(connection?.peer.buffered()).toBeLessThan(6 << 20)
    socket.resume()
    yield* gone
    const { all } = yield* Connections
    while (all.size > 1) yield* other.call(ping)
  }).pipe(Effect.provide(layerOnSockets(handlers)))
})

it.live("a client that reads again is told how many notifications it lost meanwhile", () =>
  Effect.gen(function* () {
    const { connection, socket } = yield* connectDeaf
    const { deliver, notify } = yield* Connections
    const reader = yield* connect()
    for (let number = 0; number < 200; number++) {
      yield* notify("camera_status_update", { ...camera, name: "x".repeat(100_000) })
      if (connection !== undefined) deliver(connection)
    }
    expect(connection?.peer.buffered()).toBeLessThan(700 << 10)
    let text = ""
    socket.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1")
    })
    socket.resume()
    const lost = yield* eventually(
      "it is told",
      Effect.sync(() => /"topic":"system.notifications_lost",.*"data":{"lost":(\d+)}/.exec(text)?.[1])
    )
    // not one that it is not told of, and what comes next comes
    expect(text.split("camera_status_update").length - 1 + Number(lost)).toBe(200)
    yield* notify("camera_status_update", { ...camera, fps: 5 })
    yield* eventually(
      "the next one",
      Effect.sync(() => text.includes('"fps":5'))
    )
    expect(text.split("notifications_lost")).toHaveLength(2)
    expect(yield* reader.call(ping)).toMatchObject({ result: "pong" })
  }).pipe(Effect.provide(layerOnSockets()))
)

it.effect("a batch is answered in a frame of 1 MiB: what has no room is told apart from what was not run then", () => {
  const big = {
    status: "ready",
    message: "x".repeat(400 << 10),
    available_cameras: [],
    discovery_active: false
  } as const
  const batch = Array.from({ length: 5 }, (_, id) => ({ jsonrpc: "2.0", id, method: "get_system_status" }))
  let runs = 0
  const handlers = {
    get_system_status: () =>
      Effect.sync(() => {
        runs++
        return big
      })
  }
  return Effect.gen(function* () {
    const client = yield* connectAs("viewer")
    client.send([...batch, { jsonrpc: "2.0", id: "last", method: "ping" }])
    const replies = (yield* client.next) as ReadonlyArray<{
      readonly id: unknown
      readonly error?: {
        readonly code: number
        readonly data: { readonly reason: string; readonly suggestion: string }
      }
    }>
    expect(runs).toBe(3)
    const ran = [-32040, "carried out, and its reply does not fit", "ask again without a batch"]
    const didNotRun = [-32040, "not carried out", "send it again"]
    const expected = [[], [], ran, didNotRun, didNotRun, didNotRun]
    for (const [at, [code, reason, suggestion]] of expected.entries()) {
      expect(replies[at]?.error?.code).toBe(code)
      if (code === undefined) continue
      expect(replies[at]?.error?.data.reason).toContain(reason)
      expect(replies[at]?.error?.data.suggestion).toContain(suggestion)
    }
    expect(JSON.stringify(replies).length).toBeLessThan(1 << 20)
    const counted = (code: string | undefined) => Metric.value(Metrics.rpcCall("get_system_status", code))
    expect(yield* counted("-32040")).toMatchObject({ count: 1 })
    expect(yield* counted(undefined)).toMatchObject({ count: 2 })
  }).pipe(Effect.provide(layer(handlers).pipe(Layer.provideMerge(Metrics.layer))))
})

it.effect("what changes something in a full batch is told how it went, as long as that is said shortly", () => {
  const big = {
    status: "ready",
    message: "x".repeat(600 << 10),
    available_cameras: [],
    discovery_active: false
  } as const
  const gate = Deferred.makeUnsafe<void>()
  const done = { filename: "a.jpg", deleted: true, message: "the snapshot is deleted" }
  const handlers = {
    get_system_status: () => Effect.succeed(big),
    delete_snapshot: () => Effect.as(Deferred.await(gate), done)
  }
  return Effect.gen(function* () {
    const client = yield* connectAs("operator")
    client.send([
      { jsonrpc: "2.0", id: "delete", method: "delete_snapshot", params: { filename: "a.jpg" } },
      ...[1, 2].map((id) => ({ jsonrpc: "2.0", id, method: "get_system_status" }))
    ])
    yield* Effect.yieldNow
    yield* Deferred.succeed(gate, undefined)
    const replies = (yield* client.next) as ReadonlyArray<{ readonly id: unknown; readonly result?: unknown }>
    expect(replies.map(({ id }) => id)).toEqual([1, 2, "delete"])
    expect(replies[1]).toMatchObject({ error: { code: -32040 } })
    expect(replies[2]).toMatchObject({ result: done })
  }).pipe(Effect.provide(layer(handlers)))
})
