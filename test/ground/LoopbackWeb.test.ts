import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { X509Certificate } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { createServer as createSecureServer, type Server as SecureServer } from "node:https"
import type { AddressInfo } from "node:net"
import { fingerprintOf, otherCertificate } from "../../src/ground/Fingerprint.ts"
import { Loopback } from "../../src/ground/Loopback.ts"
import { certificates, type Pair } from "../support/Certificate.ts"

/** A server that answers so, and a client of it. */
const clientOf = Effect.fnUntraced(function* (answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = yield* Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createServer>>((resume) => {
      const made = createServer(answer)
      made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
    }),
    (made) =>
      Effect.sync(() => {
        made.close()
        made.closeAllConnections()
      })
  )
  const { port } = server.address() as AddressInfo
  return yield* (yield* Loopback).web({ host: "127.0.0.1", port })
})

const get = { method: "GET", target: "/", headers: {} }

const live = <E>(name: string, body: Effect.Effect<void, E, Loopback | Scope.Scope>) =>
  it.live(name, () => Effect.provide(body, Loopback.layer))

describe("a client of one server whose replies are read as they come", () => {
  live(
    "sends a method, a path, headers and a body, and hears all headers of the reply",
    Effect.gen(function* () {
      const ask = yield* clientOf((request, response) => {
        let body = ""
        request.on("data", (some) => (body += String(some)))
        request.on("end", () => {
          response.setHeader("link", ["<a>", "<b>"])
          response.writeHead(201)
          response.end(`${request.method} ${request.url} ${request.headers["x-of"]} ${body}`)
        })
      })
      const { body, headers, status } = yield* ask({
        method: "PATCH",
        target: "/a?b=c",
        headers: { "x-of": "d" },
        body: "ä"
      })
      assert.strictEqual(status, 201)
      assert.strictEqual(headers["link"], "<a>, <b>")
      assert.strictEqual(yield* Stream.mkString(Stream.decodeText(body)), "PATCH /a?b=c d ä")
    })
  )

  live(
    "is asked again over the connection whose reply was read to its end",
    Effect.gen(function* () {
      const ports = new Set<number | undefined>()
      const ask = yield* clientOf(({ socket }, response) => {
        ports.add(socket.remotePort)
        response.end("read")
      })
      for (let i = 0; i < 3; i++) {
        yield* Effect.scoped(Effect.flatMap(ask(get), ({ body }) => Stream.runDrain(body)))
        // the connection is free a turn later
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      }
      assert.lengthOf([...ports], 1)
    })
  )

  live(
    "takes no more from the server than it is read",
    Effect.gen(function* () {
      const chunk = Buffer.alloc(64 << 10)
      let sent = 0
      const stuck = yield* Deferred.make<void>()
      const ask = yield* clientOf((_request, response) => {
        const send = () => {
          while (response.write(chunk)) sent += chunk.length
          Deferred.doneUnsafe(stuck, Effect.void)
        }
        response.on("drain", send)
        send()
      })
      const { body } = yield* ask(get)
      yield* Deferred.await(stuck)
      yield* Stream.runDrain(Stream.take(body, 1))
      // the system's buffers of both ends have some megabytes; without an end this would not stop at all
      assert.isBelow(sent, 32 << 20)
    })
  )

  live(
    "breaks the request off with its scope: while it waits, and while it reads",
    Effect.gen(function* () {
      for (const isAnswered of [false, true]) {
        const [came, gone] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const ask = yield* clientOf((_request, response) => {
          Deferred.doneUnsafe(came, Effect.void)
          response.on("close", () => Deferred.doneUnsafe(gone, Effect.void))
          if (isAnswered) response.write("some")
        })
        const asking = yield* Effect.forkChild(
          Effect.scoped(Effect.flatMap(ask(get), ({ body }) => Stream.runDrain(body))),
          { startImmediately: true }
        )
        yield* Deferred.await(came)
        yield* Fiber.interrupt(asking)
        yield* Deferred.await(gone)
      }
    })
  )

  live(
    "by TLS asks who shows a certificate that is known, and tells nobody else what it would have asked",
    Effect.gen(function* () {
      const { make } = yield* certificates
      const [ours, other] = [make(), make()]
      const fingerprint = fingerprintOf(new X509Certificate(ours.cert))
      let asked = 0
      const portOf = (pair: Pair) =>
        Effect.map(
          Effect.acquireRelease(
            Effect.callback<SecureServer>((resume) => {
              const made = createSecureServer(pair, (_request, response) => {
                asked++
                response.end("read")
              })
              made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
            }),
            (made) =>
              Effect.sync(() => {
                made.close()
                made.closeAllConnections()
              })
          ),
          (server) => (server.address() as AddressInfo).port
        )
      const { web } = yield* Loopback
      const client = (port: number) => web({ host: "127.0.0.1", port, isKnown: (shown) => shown === fingerprint })
      const ask = yield* client(yield* portOf(ours))
      for (let i = 0; i < 2; i++) {
        const { body } = yield* ask(get)
        assert.strictEqual(yield* Stream.mkString(Stream.decodeText(body)), "read")
      }
      const stranger = yield* client(yield* portOf(other))
      assert.strictEqual((yield* Effect.flip(stranger(get))).code, otherCertificate)
      assert.strictEqual(asked, 2)
    })
  )

  live(
    "fails where nobody listens, and where the reply breaks off",
    Effect.gen(function* () {
      const nobody = yield* (yield* Loopback).web({ host: "127.0.0.1", port: 1 })
      assert.strictEqual((yield* Effect.flip(nobody(get))).code, "ECONNREFUSED")
      const ask = yield* clientOf((_request, response) => {
        response.write("some", () => response.destroy())
      })
      const { body } = yield* ask(get)
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(body)))._tag, "NoReply")
    })
  )
})
