import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { connect } from "node:net"
import { Network } from "../../src/ground/Network.ts"
import type { Host } from "../../src/ground/Visits.ts"

/** A host that says what it was asked, and reads the body where that is a POST to /read. */
const house: Host = {
  answer: ({ body, method, target }) =>
    (method === "POST" && target === "/read" ? body : Effect.succeed("")).pipe(
      Effect.map((text) => ({ status: 200, headers: { connection: "close" }, body: `${method} ${target} ${text}` })),
      Effect.catch(() => Effect.succeed({ status: 413, headers: { connection: "close" }, body: "too large" }))
    ),
  admit: ({ target }) =>
    target === "/ws" ? () => ({ receive() {}, drained() {}, close() {} }) : { status: 404, headers: {}, body: "" }
}

/** What comes back for these lines of a head, and a body that is sent once something has come. */
const said = Effect.fnUntraced(function* (lines: ReadonlyArray<string>, then = "") {
  const { port } = yield* (yield* Network).listen({ host: "127.0.0.1", port: 0 }, house)
  return yield* Effect.callback<string>((resume) => {
    let heard = ""
    let isSent = false
    const socket = connect(port, "127.0.0.1", () => socket.write(`${lines.join("\r\n")}\r\n\r\n`))
    socket.setEncoding("latin1").on("data", (text) => {
      heard += text
      if (!isSent) socket.write(then)
      isSent = true
      // nothing follows where a WebSocket is open
      if (heard.startsWith("HTTP/1.1 101 ")) socket.destroy()
    })
    socket.on("close", () => resume(Effect.succeed(heard)))
    return Effect.sync(() => socket.destroy())
  })
}, Effect.scoped)

const test = (title: string, body: Effect.Effect<void, unknown, Network | Scope.Scope>) =>
  it.effect(title, () => Effect.provide(body, Network.layer))

const host = "Host: box.example"
const upgrade = [
  ...["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"],
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
]

describe("a request", () => {
  test(
    "that offers another protocol is answered as any other: HTTP/2 from Java, curl --http2",
    Effect.gen(function* () {
      const h2c = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"]
      const answer = yield* said(["GET /a HTTP/1.1", host, ...h2c])
      assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/)
      assert.include(answer, "GET /a ")
    })
  )

  test(
    "that names a server in its target, as a proxy is asked, is for the path after it",
    Effect.gen(function* () {
      for (const [target, path] of [
        ["http://box.example/a?b=http://c/d", "/a?b=http://c/d"],
        ["HTTPS://box.example:8443/a", "/a"],
        ["http://box.example", "/"],
        ["http://box.example?b", "/?b"]
      ]) {
        assert.include(yield* said([`GET ${target} HTTP/1.1`, host]), `GET ${path} `, target)
      }
      assert.match(yield* said(["GET http://box.example/ws HTTP/1.1", host, ...upgrade]), /^HTTP\/1\.1 101 /)
    })
  )

  test(
    "that names two servers is refused",
    Effect.gen(function* () {
      for (const more of [[], upgrade]) {
        const answer = yield* said(["GET /ws HTTP/1.1", host, "Host: another.example", ...more])
        assert.match(answer, /^HTTP\/1\.1 400 /)
      }
    })
  )

  test(
    "is told to send its body where that is read, and not where it is refused or too large",
    Effect.gen(function* () {
      const asking = (path: string, bytes: number) => [
        `POST ${path} HTTP/1.1`,
        ...[host, `Content-Length: ${bytes}`, "Expect: 100-continue"]
      ]
      const read = yield* said(asking("/read", 5), "hello")
      assert.match(read, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/)
      assert.include(read, "POST /read hello")
      assert.match(yield* said(asking("/refused", 5)), /^HTTP\/1\.1 200 OK\r\n/)
      assert.match(yield* said(asking("/read", 99_999_999)), /^HTTP\/1\.1 413 /)
    })
  )

  test(
    "whose body is said to be too large is not waited for",
    Effect.gen(function* () {
      assert.match(yield* said(["POST /read HTTP/1.1", host, "Content-Length: 65537"]), /^HTTP\/1\.1 413 /)
    })
  )
})
