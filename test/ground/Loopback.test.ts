import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net"
import { Loopback } from "../../src/ground/Loopback.ts"
import { inodesIn } from "../../src/ground/SocketTable.ts"

const listening = (host: string) =>
  Effect.acquireRelease(
    Effect.callback<Server>((resume) => {
      const server = createServer((socket) => socket.on("error", () => undefined))
      server.listen(0, host, () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  ).pipe(Effect.map((server) => server.address() as AddressInfo))

const connected = (host: string, port: number) =>
  Effect.acquireRelease(
    Effect.callback<Socket>((resume) => {
      const socket = connect({ host, port, allowHalfOpen: true }, () => resume(Effect.succeed(socket)))
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

describe("who has a socket", () => {
  for (const host of ["127.0.0.1", "::1"]) {
    it.live(`is known of a listening one and of a connection's end on ${host}`, () =>
      Effect.gen(function* () {
        const { has } = yield* Loopback
        const { port } = yield* listening(host)
        assert.isTrue(yield* has(process.pid, { host, port }))
        assert.isFalse(yield* has(1, { host, port }))
        assert.isUndefined(yield* has(process.pid, { host, port: 1 }))
        const socket = yield* connected(host, port)
        const end = { host, port: socket.localPort ?? 0, to: port }
        assert.isTrue(yield* has(process.pid, end))
        assert.isUndefined(yield* has(process.pid, { ...end, to: 1 }))
        // the other end's address, where it is known, finds the same
        assert.isTrue(yield* has(process.pid, { ...end, at: host }))
        assert.isFalse(yield* has(1, { ...end, at: host }))
        assert.isUndefined(yield* has(process.pid, { host, port: 1, to: port, at: host }))
      }).pipe(Effect.provide(Loopback.layer))
    )
  }

  it("is read from the kernel's table, by address, port, the other end's port and state", () => {
    const table = [
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
      "   0: 0100007F:216A 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 10 1 0 100 0 0 10 0",
      "   1: 0100007F:9C40 0100007F:216A 01 00000000:00000000 00:00000000 00000000  1000        0 11 1 0 20 4 30 10 -1",
      "   2: 0200007F:9C40 0100007F:216A 01 00000000:00000000 00:00000000 00000000 65534        0 12 1 0 20 4 30 10 -1",
      "   3: 0100007F:9C40 0200007F:216A 01 00000000:00000000 00:00000000 00000000 65534        0 13 1 0 20 4 30 10 -1",
      "   4: 0100007F:9C40 0100007F:216B 01 00000000:00000000 00:00000000 00000000 65534        0 14 1 0 20 4 30 10 -1",
      "   5: 0100007F:9C40 0100007F:216A 06 00000000:00000000 00:00000000 00000000     0        0 0 3 0"
    ].join("\n")
    assert.deepEqual(inodesIn(table, { host: "127.0.0.1", port: 8554 }), ["10"])
    // all that could be meant: the caller has to have every one of them
    assert.deepEqual(inodesIn(table, { host: "127.0.0.1", port: 40_000, to: 8554 }), ["11", "13"])
    assert.deepEqual(inodesIn(table, { host: "localhost", port: 8554 }), [])
  })
})

describe("what is asked on a connection of its own", () => {
  /** answers each connection with these words, and tells when the other side has closed it */
  const answering = Effect.fnUntraced(function* (words: string) {
    const closed = yield* Deferred.make<void>()
    const server = yield* Effect.acquireRelease(
      Effect.callback<Server>((resume) => {
        const made = createServer((socket) => {
          socket.on("error", () => undefined)
          socket.on("close", () => Deferred.doneUnsafe(closed, Effect.void))
          socket.on("data", () => socket.write(words))
        })
        made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
      }),
      (made) => Effect.sync(() => made.close())
    )
    const { port } = server.address() as AddressInfo
    return { target: { host: "127.0.0.1", port }, closed: Deferred.await(closed) }
  })

  it.live("leaves no connection behind once it is answered", () =>
    Effect.gen(function* () {
      const { ask } = yield* Loopback
      const { closed, target } = yield* answering("well\n")
      assert.strictEqual(yield* ask(target, "how?", (heard) => (heard.endsWith("\n") ? heard : undefined)), "well\n")
      yield* closed
    }).pipe(Effect.provide(Loopback.layer))
  )

  it.live("is given up where the answer has no end, and leaves no connection behind either", () =>
    Effect.gen(function* () {
      const { ask } = yield* Loopback
      const { closed, target } = yield* answering("x".repeat(65_537))
      const { detail } = yield* Effect.flip(ask(target, "how?", () => undefined))
      assert.strictEqual(detail, "the reply is too long")
      yield* closed
    }).pipe(Effect.provide(Loopback.layer))
  )
})
