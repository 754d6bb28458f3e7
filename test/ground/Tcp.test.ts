import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { X509Certificate } from "node:crypto"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { createServer, type Server, type Socket } from "node:net"
import { join } from "node:path"
import { createServer as createTlsServer } from "node:tls"
import { type Ears, hearInTurns, Tcp } from "../../src/ground/Tcp.ts"

const pem = readFileSync(join(import.meta.dirname, "../fixtures/self-signed.pem"))

/** A server on a free port, as long as the scope lives. */
const serve = Effect.fnUntraced(function* (server: Server) {
  const sockets = new Set<Socket>()
  server.on("connection", (socket: Socket) => void sockets.add(socket))
  yield* Effect.acquireRelease(
    Effect.promise(() => once(server.listen(0, "127.0.0.1"), "listening")),
    () =>
      Effect.sync(() => {
        server.close()
        for (const socket of sockets) socket.destroy()
      })
  )
  const address = server.address()
  return typeof address === "object" && address !== null ? address.port : 0
})

/** Hears all that is said until the end, and why that came. */
const listening = () => {
  const ended = Deferred.makeUnsafe<{ readonly why: string; readonly text: string }>()
  let text = ""
  const ears: Ears = {
    heard: (bytes) => {
      text += Buffer.from(bytes).toString()
    },
    ended: (why) => void Deferred.doneUnsafe(ended, Effect.succeed({ why, text }))
  }
  return { ears, ended: Deferred.await(ended) }
}

const connect = Effect.fnUntraced(function* (port: number, ears: Ears, isSecure = false) {
  const tcp = yield* Tcp
  return yield* tcp.connect({ address: "127.0.0.1", port, isSecure }, ears)
})

const test = <E>(name: string, body: Effect.Effect<void, E, Tcp>) =>
  it.live(name, () => Effect.provide(body, Tcp.layer))

describe("a connection", () => {
  test(
    "carries what both ends say, and tells of its end",
    Effect.gen(function* () {
      const port = yield* serve(createServer((socket) => socket.on("data", (bytes) => socket.end(bytes))))
      const { ears, ended } = listening()
      const connection = yield* connect(port, ears)
      assert.isUndefined(connection.fingerprint)
      connection.send(Buffer.from("hello"))
      assert.deepEqual(yield* ended, { why: "the other end closed the connection", text: "hello" })
    }).pipe(Effect.scoped)
  )

  test(
    "over TLS tells whose certificate it was, which nobody else has signed",
    Effect.gen(function* () {
      const port = yield* serve(createTlsServer({ cert: pem, key: pem }, (socket) => socket.end("secret")))
      const { ears, ended } = listening()
      const { fingerprint } = yield* connect(port, ears, true)
      const own = new X509Certificate(pem).fingerprint256.replaceAll(":", "").toLowerCase()
      assert.strictEqual(fingerprint, own)
      assert.strictEqual((yield* ended).text, "secret")
    }).pipe(Effect.scoped)
  )

  test(
    "that is over has its last words said",
    Effect.gen(function* () {
      const heard = Deferred.makeUnsafe<string>()
      let text = ""
      const server = createServer((socket) => {
        socket.on("data", (bytes) => (text += bytes.toString()))
        socket.on("end", () => Deferred.doneUnsafe(heard, Effect.succeed(text)))
      })
      const port = yield* serve(server)
      yield* Effect.scoped(Effect.map(connect(port, listening().ears), ({ send }) => send(Buffer.from("TEARDOWN"))))
      assert.strictEqual(yield* Deferred.await(heard), "TEARDOWN")
    }).pipe(Effect.scoped)
  )

  test(
    "that is over is closed though the other end says more and more and never reads",
    Effect.gen(function* () {
      const gone = Deferred.makeUnsafe<void>()
      const server = createServer({ pauseOnConnect: true }, (socket) => {
        socket.on("error", () => undefined)
        socket.on("close", () => Deferred.doneUnsafe(gone, Effect.void))
        const sayMore = () => void (socket.destroyed || socket.write("more", () => setImmediate(sayMore)))
        sayMore()
      })
      const port = yield* serve(server)
      const unread = yield* Effect.scoped(
        Effect.map(connect(port, listening().ears), ({ send, unsent }) => {
          send(Buffer.alloc(32 << 20))
          return unsent()
        })
      )
      assert.isAbove(unread, 0)
      yield* Deferred.await(gone)
    }).pipe(Effect.scoped)
  )

  test(
    "on which much comes that takes its time lets others have their turn",
    Effect.gen(function* () {
      const port = yield* serve(createServer((socket) => socket.end(Buffer.alloc(4 << 20))))
      const { ears, ended } = listening()
      let inARow = 0
      let most = 0
      const heard = (): void => {
        most = Math.max(most, ++inARow)
        setImmediate(() => (inARow = 0))
        for (const began = performance.now(); performance.now() - began < 8;);
      }
      yield* connect(port, { ...ears, heard })
      yield* ended
      assert.isAtMost(most, 2)
    }).pipe(Effect.scoped)
  )

  it("lets others have their turn after many pieces, too, that take a little time each", async () => {
    let now = 0
    const calls: Array<string> = []
    const socket = {
      pause: () => (calls.push("pause"), socket),
      resume: () => (calls.push("resume"), socket)
    } as unknown as Socket
    const hear = hearInTurns(
      socket,
      () => void (now += 2),
      () => now
    )
    const turn = async (pieces: number) => {
      for (let piece = 0; piece < pieces; piece++) hear(new Uint8Array(1))
      await new Promise((resolve) => setImmediate(resolve))
      return calls.splice(0)
    }
    assert.deepEqual(await turn(2), [])
    assert.deepEqual(await turn(2), [])
    assert.deepEqual(await turn(3), ["pause", "resume"])
    assert.deepEqual(await turn(32), ["pause", "resume"])
    assert.deepEqual(await turn(2), [])
  })

  test(
    "that is refused is none, nor is one over TLS to who does not speak it",
    Effect.gen(function* () {
      const closed = yield* Effect.scoped(serve(createServer()))
      const refused = yield* Effect.flip(connect(closed, listening().ears))
      assert.strictEqual(refused.code, "ECONNREFUSED")
      const plain = yield* serve(createServer((socket) => socket.end("RTSP/1.0 400 Bad Request\r\n\r\n")))
      assert.strictEqual((yield* Effect.flip(connect(plain, listening().ears, true)))._tag, "NotConnected")
    }).pipe(Effect.scoped)
  )

  test(
    "that never comes about is given up at once, and leaves nothing behind",
    Effect.gen(function* () {
      const gone = Deferred.makeUnsafe<void>()
      const server = createServer((socket) => {
        socket.on("error", () => undefined).resume()
        socket.on("close", () => Deferred.doneUnsafe(gone, Effect.void))
      })
      // nobody answers TLS's first words
      const waited = Effect.timeoutOption(
        Effect.scoped(connect(yield* serve(server), listening().ears, true)),
        "50 millis"
      )
      assert.strictEqual((yield* waited)._tag, "None")
      yield* Deferred.await(gone)
    }).pipe(Effect.scoped)
  )
})
