import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { type AddressInfo, createServer, type Server } from "node:net"
import { Tcp } from "../../src/ground/Tcp.ts"

/** a server that says nothing, and tells when somebody comes and goes */
const silent = Effect.gen(function* () {
  const came = yield* Deferred.make<void>()
  const gone = yield* Deferred.make<void>()
  const server = yield* Effect.acquireRelease(
    Effect.callback<Server>((resume) => {
      const made = createServer((socket) => {
        Deferred.doneUnsafe(came, Effect.void)
        socket.on("error", () => undefined)
        socket.on("data", () => undefined)
        socket.on("close", () => Deferred.doneUnsafe(gone, Effect.void))
      })
      made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
    }),
    (made) => Effect.sync(() => made.close())
  )
  return { port: (server.address() as AddressInfo).port, came: Deferred.await(came), gone: Deferred.await(gone) }
})

const deaf = { heard: () => undefined, ended: () => undefined }

describe("a connection", () => {
  it.live("that never comes about is given up at once, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const { connect } = yield* Tcp
      const { came, gone, port } = yield* silent
      // nobody answers TLS's first words
      const waiting = yield* Effect.forkChild(
        Effect.scoped(connect({ address: "127.0.0.1", port, isSecure: true }, deaf))
      )
      yield* came
      yield* Fiber.interrupt(waiting)
      yield* gone
    }).pipe(Effect.provide(Tcp.layer))
  )

  it.live("that is refused says so", () =>
    Effect.gen(function* () {
      const { connect } = yield* Tcp
      const refused = yield* Effect.flip(
        Effect.scoped(connect({ address: "127.0.0.1", port: 1, isSecure: false }, deaf))
      )
      assert.strictEqual(refused.code, "ECONNREFUSED")
    }).pipe(Effect.provide(Tcp.layer))
  )

  it.live("is over for the other end when its scope is", () =>
    Effect.gen(function* () {
      const { connect } = yield* Tcp
      const { gone, port } = yield* silent
      yield* Effect.scoped(connect({ address: "127.0.0.1", port, isSecure: false }, deaf))
      yield* gone
    }).pipe(Effect.provide(Tcp.layer))
  )
})
