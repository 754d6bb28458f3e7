import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { execFileSync } from "node:child_process"
import { X509Certificate } from "node:crypto"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { createServer, type RequestListener, type Server } from "node:http"
import { createServer as createSecure } from "node:https"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { otherCertificate } from "../../src/ground/Fingerprint.ts"
import { exchange, type WebRequest } from "../../src/ground/WebExchange.ts"

const serving = (server: Server) =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
    }),
    () =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )

const fingerprintIn = (cert: Buffer): string =>
  new X509Certificate(cert).fingerprint256.replaceAll(":", "").toLowerCase()

const ask = (port: number, more: Partial<WebRequest> = {}) =>
  exchange({
    address: "127.0.0.1",
    port,
    isSecure: false,
    method: "POST",
    target: "/onvif?a=1",
    headers: { "content-type": "text/plain", host: "camera.local" },
    body: "wörds",
    maxBytes: 1000,
    ...more
  })

describe("a request", () => {
  it.live("arrives as it was meant, and its reply is heard whole", () =>
    Effect.gen(function* () {
      const asked = Promise.withResolvers<string>()
      const answer: RequestListener = (request, response) => {
        request.on("data", (body: Buffer) =>
          asked.resolve([request.method, request.url, request.headers.host, body.toString()].join(" "))
        )
        response.writeHead(401, [
          ...["WWW-Authenticate", 'Digest realm="a", nonce="b"', "WWW-Authenticate", "Basic"],
          ...["Content-Type", "text/xml"]
        ])
        response.write("one ")
        response.end("two")
      }
      const port = yield* serving(createServer(answer))
      const { body, challenges, contentType, status } = yield* ask(port)
      assert.deepEqual(
        [status, contentType, challenges, new TextDecoder().decode(body)],
        [401, "text/xml", ['Digest realm="a", nonce="b"', "Basic"], "one two"]
      )
      assert.strictEqual(yield* Effect.promise(() => asked.promise), "POST /onvif?a=1 camera.local wörds")
    })
  )

  it.live("follows no redirect", () =>
    Effect.gen(function* () {
      let requests = 0
      const port = yield* serving(
        createServer((_, response) => {
          requests++
          response.writeHead(302, { location: "/other" }).end()
        })
      )
      assert.strictEqual((yield* ask(port)).status, 302)
      assert.strictEqual(requests, 1)
    })
  )

  it.live("that nobody hears fails with what the kernel says of it", () =>
    Effect.gen(function* () {
      const port = yield* Effect.scoped(serving(createServer()))
      assert.strictEqual((yield* Effect.flip(ask(port))).code, "ECONNREFUSED")
    })
  )

  it.live("with a header that none may have fails as one does that nobody hears", () =>
    Effect.gen(function* () {
      const port = yield* serving(createServer((_, response) => void response.end("ok")))
      const { _tag, code } = yield* Effect.flip(ask(port, { headers: { authorization: 'Digest username="Ж"' } }))
      assert.deepEqual([_tag, code], ["NoReply", "ERR_INVALID_CHAR"])
    })
  )

  it.live("is given up with a reply that is too large, and by who asks, and leaves no connection behind", () =>
    Effect.gen(function* () {
      const came = yield* Deferred.make<void>()
      const server = createServer((request, response) => {
        if (request.url === "/large") response.end("x".repeat(1_000_000))
        else Deferred.doneUnsafe(came, Effect.void)
      })
      const port = yield* serving(server)
      assert.strictEqual((yield* Effect.flip(ask(port, { target: "/large" }))).detail, "the reply is too large")
      const waiting = yield* Effect.forkChild(ask(port))
      yield* Deferred.await(came)
      yield* Fiber.interrupt(waiting)
      yield* Effect.callback<void>((resume) => {
        const look = (): void => {
          server.getConnections((_, count) => (count === 0 ? resume(Effect.void) : setImmediate(look)))
        }
        look()
      })
    })
  )

  it.live("goes over TLS to who has signed its certificate itself, and to no other once that is known", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "camera-service-tls-"))),
        (made) => Effect.sync(() => rmSync(made, { recursive: true }))
      )
      const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")]
      const made = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-subj",
        "/CN=a"
      ]
      execFileSync("openssl", [...made, "-keyout", key, "-out", cert], { stdio: "ignore" })
      const options = { key: readFileSync(key), cert: readFileSync(cert) }
      let requests = 0
      const port = yield* serving(
        createSecure(options, (_, response) => {
          requests++
          response.end("ok")
        })
      )
      const { fingerprint = "", status } = yield* ask(port, { isSecure: true })
      assert.strictEqual(status, 200)
      assert.strictEqual(fingerprint, fingerprintIn(options.cert))
      assert.strictEqual((yield* ask(port, { isSecure: true, fingerprint })).fingerprint, fingerprint)
      const refused = yield* Effect.flip(ask(port, { isSecure: true, fingerprint: "ab".repeat(32) }))
      assert.strictEqual(refused.code, otherCertificate)
      assert.include(refused.detail, fingerprint)
      assert.strictEqual(requests, 2)
    })
  )
})
