import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { Socket } from "node:net"
import type { Camera } from "../../schema/Camera.ts"
import { Connections } from "../../src/rpc/Connections.ts"
import { eventually } from "../support/Eventually.ts"
import { frame, upgrade } from "../support/RawClient.ts"
import { connect, connectAs, layer, layerOnSockets, port, tokenFor } from "./Harness.ts"

const camera: Camera = {
  device: "camera0",
  status: "CONNECTED",
  name: "test",
  resolution: "640x480",
  fps: 30,
  streams: { rtsp: "", hls: "", webrtc: "" }
}
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

it.effect("a batch is answered in a frame of 1 MiB at most: what has no room in it is to be asked for again", () => {
  const big = {
    status: "ready",
    message: "x".repeat(400 << 10),
    available_cameras: [],
    discovery_active: false
  } as const
  const batch = Array.from({ length: 5 }, (_, id) => ({ jsonrpc: "2.0", id, method: "get_system_status" }))
  return Effect.gen(function* () {
    const client = yield* connectAs("viewer")
    client.send([...batch, { jsonrpc: "2.0", id: "last", method: "ping" }])
    const replies = (yield* client.next) as ReadonlyArray<{ readonly id: unknown; readonly error?: { code: number } }>
    expect(replies.map(({ error, id }) => [id, error?.code])).toEqual([
      [0, undefined],
      [1, undefined],
      [2, -32040],
      [3, -32040],
      [4, -32040],
      ["last", undefined]
    ])
    expect(JSON.stringify(replies).length).toBeLessThan(1 << 20)
  }).pipe(Effect.provide(layer({ get_system_status: () => Effect.succeed(big) })))
})
