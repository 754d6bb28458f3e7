import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { connect as connectTcp, type Socket } from "node:net"
import { Connections } from "../../src/rpc/Connections.ts"
import { connect, connectAs, layer, url } from "./Harness.ts"

const maxFrame = 1 << 20
const ping = (padding: number) => {
  const text = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
  return text + " ".repeat(padding - text.length)
}

it.effect("a frame of 1 MiB is taken, one byte more closes the connection with 1009", () =>
  Effect.gen(function* () {
    const client = yield* connect()
    expect(yield* client.call(ping(maxFrame))).toMatchObject({ result: "pong" })
    client.send(ping(maxFrame + 1))
    expect(yield* client.closed).toBe(1009)
  }).pipe(Effect.provide(layer()))
)

it.effect("fragments that are together too long close the connection with 1009", () =>
  Effect.gen(function* () {
    const client = yield* connect()
    client.socket.send(ping(maxFrame), { fin: false })
    client.socket.send(" ", { fin: true })
    expect(yield* client.closed).toBe(1009)
  }).pipe(Effect.provide(layer()))
)

it.effect("a binary frame closes the connection with 1003", () =>
  Effect.gen(function* () {
    const client = yield* connect()
    client.socket.send(Buffer.from(ping(100)), { binary: true })
    expect(yield* client.closed).toBe(1003)
  }).pipe(Effect.provide(layer()))
)

it.effect("text that is no UTF-8 closes the connection with 1007", () =>
  Effect.gen(function* () {
    const client = yield* connect()
    client.socket.send(Buffer.from([0x22, 0xc3, 0x28, 0x22]), { binary: false })
    expect(yield* client.closed).toBe(1007)
  }).pipe(Effect.provide(layer()))
)

it.effect("at most 64 calls of a connection run at once; the others wait, and all are answered", () => {
  const started = Queue.unbounded<string>().pipe(Effect.runSync)
  const gate = Deferred.makeUnsafe<void>()
  let running = 0
  let most = 0
  const handlers = {
    get_stream_url: ({ device }: { readonly device: string }) =>
      Effect.gen(function* () {
        most = Math.max(most, ++running)
        yield* Queue.offer(started, device)
        yield* Deferred.await(gate)
        running--
        return yield* Effect.die("enough")
      })
  }
  return Effect.gen(function* () {
    const client = yield* connectAs("viewer")
    const other = yield* connect()
    for (let id = 0; id < 500; id++) {
      client.send({ jsonrpc: "2.0", id, method: "get_stream_url", params: { device: `camera${id}` } })
    }
    yield* Queue.takeN(started, 64)
    // what the other connection asks for afterwards is answered: the 65th call would have started before
    expect(yield* other.call(ping(100))).toMatchObject({ result: "pong" })
    expect(running).toBe(64)
    yield* Deferred.succeed(gate, undefined)
    const ids = new Set<unknown>()
    for (let n = 0; n < 500; n++) ids.add(((yield* client.next) as { readonly id: unknown }).id)
    expect(ids.size).toBe(500)
    expect(most).toBe(64)
  }).pipe(Effect.provide(layer(handlers)))
})

it.effect("large calls that wait for an answer are not read without end", () => {
  const started = Queue.unbounded<void>().pipe(Effect.runSync)
  const gate = Deferred.makeUnsafe<void>()
  let running = 0
  const handlers = {
    authenticate: () =>
      Effect.gen(function* () {
        running++
        yield* Queue.offer(started, undefined)
        yield* Deferred.await(gate)
        return yield* Effect.die("enough")
      })
  }
  return Effect.gen(function* () {
    const client = yield* connect()
    const params = { auth_token: "x".repeat(600_000) }
    for (let id = 0; id < 10; id++) client.send({ jsonrpc: "2.0", id, method: "authenticate", params })
    yield* Queue.takeN(started, 2)
    const other = yield* connect()
    expect(yield* other.call(ping(100))).toMatchObject({ result: "pong" })
    expect(running).toBe(2)
    yield* Deferred.succeed(gate, undefined)
    for (let id = 0; id < 10; id++) expect(yield* client.next).toMatchObject({ id })
  }).pipe(Effect.provide(layer(handlers)))
})

it.effect("what a client asked for is interrupted when it goes", () => {
  const started = Deferred.makeUnsafe<void>()
  const interrupted = Deferred.makeUnsafe<void>()
  const handlers = {
    get_streams: () =>
      Effect.andThen(Deferred.succeed(started, undefined), Effect.never).pipe(
        Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
      )
  }
  return Effect.gen(function* () {
    const client = yield* connectAs("viewer")
    client.send({ jsonrpc: "2.0", id: 1, method: "get_streams" })
    yield* Deferred.await(started)
    client.socket.terminate()
    yield* Deferred.await(interrupted)
  }).pipe(Effect.provide(layer(handlers)))
})

/** A masked text frame of less than 64 KiB (RFC 6455, section 5.2), with a mask of zeros. */
const frame = (text: string): Buffer => {
  const payload = Buffer.from(text)
  const header =
    payload.length < 126
      ? Buffer.from([0x81, 0x80 | payload.length])
      : Buffer.from([0x81, 0xfe, payload.length >> 8, payload.length & 0xff])
  return Buffer.concat([header, Buffer.alloc(4), payload])
}

/** A client that has shaken hands, and from then on sends and never reads. */
const connectDeaf = Effect.gen(function* () {
  const { hostname, port } = new URL(yield* url)
  return yield* Effect.acquireRelease(
    Effect.callback<Socket>((resume) => {
      const socket = connectTcp({ host: hostname, port: Number(port) }, () => {
        socket.write(
          "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
        )
      })
      socket.on("error", () => {})
      socket.once("data", () => {
        socket.pause()
        resume(Effect.succeed(socket))
      })
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )
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

const clientWithout = (ids: ReadonlySet<number>) =>
  Effect.map(Connections, ({ all }) => Array.from(all.values()).find(({ id }) => !ids.has(id)))

it.live("a client that asks and never reads is not read any more, and costs little", () =>
  Effect.gen(function* () {
    const deaf = yield* connectDeaf
    const connection = yield* clientWithout(new Set())
    const pings = frame('{"jsonrpc":"2.0","id":1,"method":"ping"}')
    const sent = yield* flood(deaf, Buffer.concat(Array.from({ length: 100 }, () => pings)))
    // far less than was written before: the rest of it waits at the client
    expect(connection?.peer.buffered()).toBeGreaterThan(64 << 10)
    expect(connection?.peer.buffered()).toBeLessThan(256 << 10)
    expect(sent).toBeGreaterThan(1 << 20)
    const other = yield* connect()
    expect(yield* other.call(ping(100))).toMatchObject({ result: "pong" })
  }).pipe(Effect.provide(layer()))
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
    const deaf = yield* connectDeaf
    const connection = yield* clientWithout(new Set())
    const gone = Effect.callback<void>((resume) => {
      deaf.once("close", () => resume(Effect.void))
      deaf.once("error", () => resume(Effect.void))
    })
    deaf.write(frame('{"jsonrpc":"2.0","id":0,"method":"authenticate","params":{"auth_token":"viewer"}}'))
    for (let id = 1; id <= 60; id++) deaf.write(frame(`{"jsonrpc":"2.0","id":${id},"method":"get_system_status"}`))
    yield* Queue.takeN(started, 60)
    yield* Deferred.succeed(gate, undefined)
    // 30 MB of replies came at once
    const other = yield* connect()
    expect(yield* other.call(ping(100))).toMatchObject({ result: "pong" })
    expect(connection?.peer.buffered()).toBeLessThan(6 << 20)
    deaf.resume()
    yield* gone
    const { all } = yield* Connections
    while (all.size > 1) yield* other.call(ping(100))
  }).pipe(Effect.provide(layer(handlers)))
})
