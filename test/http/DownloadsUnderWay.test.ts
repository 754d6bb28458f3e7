import { assert, layer } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { appendFile, truncate, unlink } from "node:fs/promises"
import { request as httpRequest } from "node:http"
import { connect, type Socket } from "node:net"
import { ApiKeys } from "../../src/auth/ApiKeys.ts"
import { SignedUrls } from "../../src/auth/SignedUrls.ts"
import { Tokens } from "../../src/auth/Tokens.ts"
import { PublicHttp } from "../../src/http/PublicHttp.ts"
import { Files } from "../../src/storage/Files.ts"
import { ask } from "./Client.ts"
import { digits, get, holdsOpen, recorded, running, tokenFor } from "./DownloadsBench.ts"

/** A client that asks for this, and reads no more once the reply has begun. */
const begun = Effect.fnUntraced(function* (request: string) {
  const { address } = yield* PublicHttp
  return yield* Effect.acquireRelease(
    Effect.callback<Socket>((resume) => {
      const client = connect(address.port, "127.0.0.1", () => client.write(request))
      client.on("error", () => undefined)
      client.once("readable", () => resume(Effect.succeed(client)))
    }),
    (client) => Effect.sync(() => client.destroy())
  )
})

const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))

layer(running)("a download that is under way", (it) => {
  it.effect("of a file that is written on, and then deleted by hand, is what it was when it began", () =>
    Effect.gen(function* () {
      const size = 16 * 1024 * 1024
      const path = yield* recorded("growing.mp4", Buffer.alloc(size, 1))
      const { address } = yield* PublicHttp
      const headers = { authorization: `Bearer ${yield* tokenFor()}` }
      const taken = yield* Effect.callback<{ readonly told: number; readonly bytes: Buffer }>((resume) => {
        const target = { host: "127.0.0.1", port: address.port, path: "/files/recordings/growing.mp4", headers }
        httpRequest({ ...target, agent: false }, (response) => {
          const chunks: Array<Buffer> = []
          // the buffers in between cannot hold the rest
          const changed = appendFile(path, Buffer.alloc(1024, 2)).then(() => unlink(path))
          void changed.then(() => response.on("data", (chunk: Buffer) => chunks.push(chunk)))
          response.on("end", () =>
            resume(Effect.succeed({ told: Number(response.headers["content-length"]), bytes: Buffer.concat(chunks) }))
          )
        }).end()
      })
      assert.strictEqual(taken.told, size)
      assert.isTrue(taken.bytes.equals(Buffer.alloc(size, 1)))
      assert.strictEqual((yield* get("/files/recordings/growing.mp4")).status, 404)
    })
  )

  it.effect("of a file that is being cut short ends in a broken connection, not in a wrong file", () =>
    Effect.gen(function* () {
      const path = yield* recorded("large.mp4", Buffer.alloc(16 * 1024 * 1024, 1))
      const { address } = yield* PublicHttp
      const token = yield* tokenFor()
      const request = `GET /files/recordings/large.mp4 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`
      const replies = yield* Effect.callback<number>((resume) => {
        const chunks: Array<Buffer> = []
        // the second request's reply would pass for the rest of the first file
        const socket = connect(address.port, "127.0.0.1", () => socket.write(request + request))
        socket.once("readable", () => {
          // the reply has begun and the buffers in between cannot hold the rest
          void truncate(path, 1).then(() => socket.on("data", (chunk: Buffer) => chunks.push(chunk)))
        })
        socket.on("close", () =>
          resume(Effect.succeed(Buffer.concat(chunks).toString("latin1").split("HTTP/1.1 ").length - 1))
        )
        socket.on("error", () => undefined)
      })
      assert.strictEqual(replies, 1)
    })
  )

  it.effect("holds the file only as long as somebody takes it; until then it cannot be deleted", () =>
    Effect.gen(function* () {
      const files = yield* Files
      const path = yield* recorded("held.mp4", Buffer.alloc(32 * 1024 * 1024))
      const token = yield* tokenFor()
      const socket = yield* begun(
        `GET /files/recordings/held.mp4 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`
      )
      assert.isTrue(holdsOpen(path))
      const refused = yield* Effect.flip(files.delete("recording", "held.mp4"))
      assert.deepInclude(refused, { _tag: "InvalidState", state: "DOWNLOADING" })
      socket.destroy()
      yield* Effect.repeat(turn, { while: () => holdsOpen(path) })
      yield* files.delete("recording", "held.mp4").pipe(
        Effect.tapError(() => turn),
        Effect.retry({ while: ({ _tag }) => _tag === "InvalidState" })
      )
    })
  )

  it.effect("breaks off when the key that opened it is revoked, also for who does not read", () =>
    Effect.gen(function* () {
      const keys = yield* ApiKeys
      const path = yield* recorded("revoked.mp4", Buffer.alloc(32 * 1024 * 1024))
      const { address } = yield* PublicHttp
      const grant = { kind: "api", role: "viewer", createdBy: "ann", expiresAt: 3_600_000 } as const
      const { key, secret } = yield* keys.create(grant)
      const request = `GET /files/recordings/revoked.mp4 HTTP/1.1\r\nhost: x\r\nx-api-key: ${Redacted.value(secret)}\r\n\r\n`
      let bytes = 0
      const socket = yield* begun(request)
      assert.isTrue(holdsOpen(path))
      yield* keys.revoke(key.id)
      yield* Effect.repeat(turn, { while: () => holdsOpen(path) })
      yield* Effect.callback<void>((resume) => {
        socket.on("close", () => resume(Effect.void))
        socket.on("data", (chunk: Buffer) => void (bytes += chunk.length))
      })
      assert.isBelow(bytes, 32 * 1024 * 1024)
      const again = yield* ask(address.port, "/files/recordings/revoked.mp4", {
        headers: { "x-api-key": Redacted.value(secret) }
      })
      assert.strictEqual(again.status, 401)
    })
  )

  it.effect("by a signed URL outlives the URL, and breaks off when the key that made it is revoked", () =>
    Effect.gen(function* () {
      const keys = yield* ApiKeys
      const { sign } = yield* SignedUrls
      const path = yield* recorded("signed.mp4", Buffer.alloc(32 * 1024 * 1024))
      const { address } = yield* PublicHttp
      const grant = { kind: "api", role: "viewer", createdBy: "ann", expiresAt: 3_600_000 } as const
      const { key, secret } = yield* keys.create(grant)
      const session = yield* keys.verify(Redacted.value(secret))
      const expiresAt = (yield* Clock.currentTimeMillis) + 10_000
      const target = `/files/recordings/signed.mp4?signed=${sign("recording/signed.mp4", "camera0", session, expiresAt)}`
      yield* begun(`GET ${target} HTTP/1.1\r\nhost: x\r\n\r\n`)
      // less than what a client may take to read
      yield* TestClock.adjust("11 seconds")
      assert.strictEqual((yield* ask(address.port, target)).status, 403)
      assert.isTrue(holdsOpen(path))
      yield* keys.revoke(key.id)
      yield* Effect.repeat(turn, { while: () => holdsOpen(path) })
    })
  )

  it.effect("by a signed URL is all that a download is: parts, HEAD, shown in a page", () =>
    Effect.gen(function* () {
      const { sign } = yield* SignedUrls
      yield* recorded("a.mp4", digits)
      const { address } = yield* PublicHttp
      const { verify } = yield* Tokens
      const session = yield* verify(yield* tokenFor())
      const expiresAt = (yield* Clock.currentTimeMillis) + 600_000
      const target = `/files/recordings/a.mp4?signed=${sign("recording/a.mp4", "camera0", session, expiresAt)}`
      const { body, headers } = yield* ask(address.port, target)
      assert.strictEqual(body, digits)
      assert.strictEqual(headers["content-disposition"], 'attachment; filename="a.mp4"')
      const part = yield* ask(address.port, target, { headers: { range: "bytes=2-4", "if-range": headers.etag ?? "" } })
      assert.deepInclude(part, { status: 206, body: "234" })
      assert.deepInclude(yield* ask(address.port, target, { method: "HEAD" }), { status: 200, body: "" })
      const shown = yield* ask(address.port, `${target}&disposition=inline`)
      assert.strictEqual(shown.headers["content-disposition"], 'inline; filename="a.mp4"')
      assert.strictEqual((yield* ask(address.port, target, { method: "DELETE" })).status, 405)
    })
  )

  it.effect("breaks off when the file is taken away, also for who does not read", () =>
    Effect.gen(function* () {
      const files = yield* Files
      const path = yield* recorded("taken.mp4", Buffer.alloc(32 * 1024 * 1024))
      const token = yield* tokenFor()
      yield* begun(`GET /files/recordings/taken.mp4 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`)
      assert.isTrue(holdsOpen(path))
      yield* files.takeAway("recording", "taken.mp4")
      // a deleted file takes room until nobody has it open
      yield* Effect.repeat(turn, { while: () => holdsOpen(`${path} (deleted)`) })
    })
  )

  it.effect("breaks off when its token expires", () =>
    Effect.gen(function* () {
      const path = yield* recorded("expired.mp4", Buffer.alloc(32 * 1024 * 1024))
      const { sign } = yield* Tokens
      const grant = { userId: "someone", role: "viewer", timeToLive: Duration.seconds(30) } as const
      const short = Redacted.value(yield* sign(grant))
      const request = `GET /files/recordings/expired.mp4 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${short}\r\n\r\n`
      yield* begun(request)
      yield* TestClock.adjust("29 seconds")
      assert.isTrue(holdsOpen(path))
      // less than what a client may take to read
      yield* TestClock.adjust("1 second")
      yield* Effect.repeat(turn, { while: () => holdsOpen(path) })
    })
  )
})
