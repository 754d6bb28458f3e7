import { assert, layer } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { readdirSync, readlinkSync } from "node:fs"
import { appendFile, truncate, unlink, writeFile } from "node:fs/promises"
import { request as httpRequest } from "node:http"
import { connect, createServer, type Server, type Socket } from "node:net"
import { join } from "node:path"
import { ApiKeys } from "../../src/auth/ApiKeys.ts"
import { Credentials } from "../../src/auth/Credentials.ts"
import { FailedLogins } from "../../src/auth/FailedLogins.ts"
import { SignedUrls } from "../../src/auth/SignedUrls.ts"
import { Tokens } from "../../src/auth/Tokens.ts"
import { Network } from "../../src/ground/Network.ts"
import * as Downloads from "../../src/http/Downloads.ts"
import { PublicHttp } from "../../src/http/PublicHttp.ts"
import { VisitLimits } from "../../src/http/VisitLimits.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { Files } from "../../src/storage/Files.ts"
import { indexed, jpeg, settingsWith, storageAt, temporaryFolder } from "../storage/Workbench.ts"
import { type Answer, ask } from "./Client.ts"

const settings = settingsWith({ server: { host: "127.0.0.1", port: 0 } })
const running = Layer.unwrap(
  Effect.map(temporaryFolder, (root) =>
    Downloads.layer.pipe(
      Layer.provide([Credentials.layer, VisitLimits.layer, FailedLogins.layer]),
      Layer.provideMerge(SignedUrls.layer),
      Layer.provideMerge(Layer.mergeAll(PublicHttp.layer, Tokens.layer, ApiKeys.layer)),
      Layer.provide([settings, Network.layer]),
      Layer.provideMerge(storageAt(root))
    )
  )
)

const tokenFor = Effect.fnUntraced(function* (cameras?: ReadonlyArray<string>) {
  const tokens = yield* Tokens
  const grant = { userId: "someone", role: "viewer", timeToLive: Duration.hours(1) } as const
  return Redacted.value(yield* tokens.sign(cameras === undefined ? grant : { ...grant, cameras }))
})

/** As an authenticated client that may see every camera. */
const get = Effect.fnUntraced(function* (path: string, headers: Record<string, string> = {}, method = "GET") {
  const { address } = yield* PublicHttp
  const authorization = `Bearer ${yield* tokenFor()}`
  return yield* ask(address.port, path, { method, headers: { authorization, ...headers } })
})

/** What a refusal says, which has to be what is wrong and what to do. */
const refused = (answer: Answer, status: number) => {
  assert.strictEqual(answer.status, status, answer.body)
  assert.strictEqual(answer.headers["content-type"], "application/json")
  const { error } = JSON.parse(answer.body) as {
    readonly error: { readonly message: string; readonly data: { readonly suggestion: string } }
  }
  const said = { error: error.message, suggestion: error.data.suggestion }
  assert.match(said.error, /\w{2}/)
  assert.match(said.suggestion, /\w{2}/)
  return said
}

/** A recording of camera0 with these bytes, on disk and in the index. */
const recorded = Effect.fnUntraced(function* (filename: string, bytes: string | Uint8Array) {
  const folder = yield* DataFolder
  const index = yield* FileIndex
  const path = join(folder.recordings, filename)
  yield* Effect.promise(() => writeFile(path, bytes))
  yield* index.put(indexed({ filename, bytes: bytes.length }))
  return path
})

const digits = "0123456789"

const holdsOpen = (path: string): boolean =>
  readdirSync("/proc/self/fd").some((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path
    } catch {
      return false
    }
  })

layer(running)("a download", (it) => {
  it.effect("gives the file whole, as an attachment of its type", () =>
    Effect.gen(function* () {
      yield* recorded("a.mp4", digits)
      const answer = yield* get("/files/recordings/a.mp4")
      assert.strictEqual(answer.status, 200)
      assert.strictEqual(answer.body, digits)
      assert.deepInclude(answer.headers, {
        "content-type": "video/mp4",
        "content-length": "10",
        "content-disposition": 'attachment; filename="a.mp4"',
        "cache-control": "private, no-cache",
        "x-content-type-options": "nosniff",
        "accept-ranges": "bytes"
      })
    })
  )

  it.effect("gives snapshots too, and empty files", () =>
    Effect.gen(function* () {
      const files = yield* Files
      const picture = { device: "camera0", bytes: jpeg, width: 1, height: 1, capturedAt: 0 }
      const { bytes } = yield* files.saveSnapshot({ ...picture, filename: "door.jpg" })
      const answer = yield* get("/files/snapshots/door.jpg")
      assert.strictEqual(answer.headers["content-type"], "image/jpeg")
      assert.strictEqual(answer.headers["content-length"], String(bytes))
      yield* recorded("empty.ts", "")
      assert.deepInclude(yield* get("/files/recordings/empty.ts"), { status: 200, body: "" })
      assert.strictEqual((yield* get("/files/recordings/empty.ts", { range: "bytes=0-" })).status, 416)
    })
  )

  it.effect("answers HEAD with the same head", () =>
    Effect.gen(function* () {
      yield* recorded("a.mp4", digits)
      const whole = yield* get("/files/recordings/a.mp4")
      const head = yield* get("/files/recordings/a.mp4", { range: "bytes=2-3" }, "HEAD")
      assert.deepInclude(head, { status: 200, body: "" })
      assert.strictEqual(head.headers["content-length"], "10")
      assert.strictEqual(head.headers.etag, whole.headers.etag)
    })
  )

  it.effect("gives a part, and says which", () =>
    Effect.gen(function* () {
      yield* recorded("a.mp4", digits)
      const part = yield* get("/files/recordings/a.mp4", { range: "bytes=2-4" })
      assert.deepInclude(part, { status: 206, body: "234" })
      assert.strictEqual(part.headers["content-range"], "bytes 2-4/10")
      assert.strictEqual((yield* get("/files/recordings/a.mp4", { range: "bytes=-3" })).body, "789")
      const outside = yield* get("/files/recordings/a.mp4", { range: "bytes=10-" })
      assert.strictEqual(outside.headers["content-range"], "bytes */10")
      assert.include(refused(outside, 416).error, "10 bytes")
    })
  )

  it.effect("that is refused says why and what to do, and nothing where only the head is asked for", () =>
    Effect.gen(function* () {
      const path = yield* recorded("refused.mp4", digits)
      const target = "/files/recordings/refused.mp4"
      const { address } = yield* PublicHttp
      assert.include(refused(yield* get("/files/snapshots/none.jpg"), 404).suggestion, "list_snapshots")
      const post = yield* get(target, {}, "POST")
      assert.include(refused(post, 405).suggestion, "GET or HEAD")
      assert.strictEqual(post.headers.allow, "GET, HEAD")
      assert.include(refused(yield* ask(address.port, `${target}?signed=nonsense`), 403).suggestion, "get_download_url")
      for (const headers of [{ range: "bytes=10-" }, { "if-match": '"other"' }, { authorization: "Bearer x" }]) {
        const { body, headers: told } = yield* get(target, headers, "HEAD")
        assert.strictEqual(body, "")
        assert.isDefined(told["content-type"])
      }
      yield* Effect.promise(() => unlink(path))
      // what listens there cannot be opened (ENXIO)
      yield* Effect.acquireRelease(
        Effect.callback<Server>((resume) => {
          const server = createServer().listen(path, () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      )
      const broken = yield* get(target)
      assert.include(refused(broken, 503).suggestion, "try again")
      assert.strictEqual(broken.headers["retry-after"], "5")
      assert.notInclude(broken.body, path)
    })
  )

  it.effect("is shown in a page instead of saved, where that is asked for", () =>
    Effect.gen(function* () {
      yield* recorded("a.mp4", digits)
      const shown = yield* get("/files/recordings/a.mp4?disposition=inline")
      assert.strictEqual(shown.headers["content-disposition"], 'inline; filename="a.mp4"')
      const saved = yield* get('/files/recordings/a.mp4?disposition=evil"')
      assert.strictEqual(saved.headers["content-disposition"], 'attachment; filename="a.mp4"')
    })
  )

  it.effect("is spared to who has the file already, by its date too, and refused to who wants another", () =>
    Effect.gen(function* () {
      yield* recorded("a.mp4", digits)
      const { headers } = yield* get("/files/recordings/a.mp4")
      const since = { "if-modified-since": String(headers["last-modified"]) }
      assert.deepInclude(yield* get("/files/recordings/a.mp4", since), { status: 304, body: "" })
      refused(yield* get("/files/recordings/a.mp4", { "if-match": '"other"' }), 412)
    })
  )

  it.effect("is spared to who has the file already, and starts over when it changed", () =>
    Effect.gen(function* () {
      const path = yield* recorded("changing.mp4", digits)
      const etag = String((yield* get("/files/recordings/changing.mp4")).headers.etag)
      const spared = yield* get("/files/recordings/changing.mp4", { "if-none-match": `"other", ${etag}` })
      assert.deepInclude(spared, { status: 304, body: "" })
      const range = { range: "bytes=0-1", "if-range": etag }
      assert.strictEqual((yield* get("/files/recordings/changing.mp4", range)).status, 206)
      yield* Effect.promise(() => writeFile(path, `${digits}more`))
      assert.deepInclude(yield* get("/files/recordings/changing.mp4", range), { status: 200, body: `${digits}more` })
      const again = yield* get("/files/recordings/changing.mp4", { "if-none-match": etag })
      assert.strictEqual(again.status, 200)
    })
  )

  it.effect("needs a valid token, and says which scheme", () =>
    Effect.gen(function* () {
      yield* recorded("a.mp4", digits)
      const { address } = yield* PublicHttp
      const credentials: ReadonlyArray<Record<string, string>> = [
        {},
        { authorization: "Bearer" },
        { authorization: "Bearer x.y.z" },
        { authorization: `Basic ${yield* tokenFor()}` },
        { "x-api-key": "nonsense" }
      ]
      for (const headers of credentials) {
        const answer = yield* ask(address.port, "/files/recordings/a.mp4", { headers })
        assert.include(refused(answer, 401).suggestion, "Authorization: Bearer")
        assert.strictEqual(answer.headers["www-authenticate"], "Bearer")
        // a stranger cannot find out which files there are
        assert.strictEqual((yield* ask(address.port, "/files/recordings/none.mp4", { headers })).status, 401)
      }
    })
  )

  it.effect("of a camera that the user may not see is not found", () =>
    Effect.gen(function* () {
      yield* recorded("a.mp4", digits)
      const { address } = yield* PublicHttp
      const as = (token: string) =>
        ask(address.port, "/files/recordings/a.mp4", { headers: { authorization: `bearer ${token}` } })
      assert.strictEqual((yield* as(yield* tokenFor(["camera1"]))).status, 404)
      assert.strictEqual((yield* as(yield* tokenFor([]))).status, 404)
      assert.strictEqual((yield* as(yield* tokenFor(["camera1", "camera0"]))).status, 200)
    })
  )

  it.effect("never leads out of its folder, nor to what is not listed", () =>
    Effect.gen(function* () {
      const folder = yield* DataFolder
      yield* Effect.promise(() => writeFile(join(folder.recordings, "unlisted.mp4"), "x"))
      yield* recorded("a.mp4", digits)
      const names = ["../secrets/jwt_secret", "..%2fsecrets%2fjwt_secret", "%2e%2e/secrets/jwt_secret", "unlisted.mp4"]
      for (const name of [...names, "", ".", "a.mp4/", "a.mp4%00", "%", "%ff", "-a.mp4", "/etc/passwd"]) {
        assert.strictEqual((yield* get(`/files/recordings/${name}`)).status, 404, name)
      }
      assert.strictEqual((yield* get("/files/snapshots/a.mp4")).status, 404)
    })
  )

  it.effect("is the only thing one can do with a file here", () =>
    Effect.gen(function* () {
      yield* recorded("a.mp4", digits)
      for (const method of ["DELETE", "PUT", "POST"]) {
        const answer = yield* get("/files/recordings/a.mp4", {}, method)
        assert.strictEqual(answer.status, 405)
        assert.strictEqual(answer.headers.allow, "GET, HEAD")
      }
    })
  )

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
      const { address } = yield* PublicHttp
      const token = yield* tokenFor()
      const socket = yield* Effect.callback<Socket>((resume) => {
        const client = connect(address.port, "127.0.0.1", () =>
          client.write(`GET /files/recordings/held.mp4 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`)
        )
        client.once("readable", () => resume(Effect.succeed(client)))
      })
      assert.isTrue(holdsOpen(path))
      const refused = yield* Effect.flip(files.delete("recording", "held.mp4"))
      assert.deepInclude(refused, { _tag: "InvalidState", state: "DOWNLOADING" })
      socket.destroy()
      const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
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
      const socket = yield* Effect.callback<Socket>((resume) => {
        const client = connect(address.port, "127.0.0.1", () => client.write(request))
        client.on("error", () => undefined)
        client.once("readable", () => resume(Effect.succeed(client)))
      })
      assert.isTrue(holdsOpen(path))
      yield* keys.revoke(key.id)
      const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
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
      yield* Effect.callback<Socket>((resume) => {
        const client = connect(address.port, "127.0.0.1", () =>
          client.write(`GET ${target} HTTP/1.1\r\nhost: x\r\n\r\n`)
        )
        client.on("error", () => undefined)
        client.once("readable", () => resume(Effect.succeed(client)))
      })
      // less than what a client may take to read
      yield* TestClock.adjust("11 seconds")
      assert.strictEqual((yield* ask(address.port, target)).status, 403)
      assert.isTrue(holdsOpen(path))
      yield* keys.revoke(key.id)
      const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
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
      const { address } = yield* PublicHttp
      const token = yield* tokenFor()
      yield* Effect.callback<Socket>((resume) => {
        const client = connect(address.port, "127.0.0.1", () =>
          client.write(`GET /files/recordings/taken.mp4 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`)
        )
        client.on("error", () => undefined)
        client.once("readable", () => resume(Effect.succeed(client)))
      })
      assert.isTrue(holdsOpen(path))
      yield* files.takeAway("recording", "taken.mp4")
      // a deleted file takes room until nobody has it open
      const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
      yield* Effect.repeat(turn, { while: () => holdsOpen(`${path} (deleted)`) })
    })
  )

  it.effect("breaks off when its token expires", () =>
    Effect.gen(function* () {
      const path = yield* recorded("expired.mp4", Buffer.alloc(32 * 1024 * 1024))
      const { sign } = yield* Tokens
      const grant = { userId: "someone", role: "viewer", timeToLive: Duration.seconds(30) } as const
      const short = Redacted.value(yield* sign(grant))
      const { address } = yield* PublicHttp
      const request = `GET /files/recordings/expired.mp4 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${short}\r\n\r\n`
      yield* Effect.callback<Socket>((resume) => {
        const client = connect(address.port, "127.0.0.1", () => client.write(request))
        client.on("error", () => undefined)
        client.once("readable", () => resume(Effect.succeed(client)))
      })
      yield* TestClock.adjust("29 seconds")
      assert.isTrue(holdsOpen(path))
      // less than what a client may take to read
      yield* TestClock.adjust("1 second")
      const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
      yield* Effect.repeat(turn, { while: () => holdsOpen(path) })
    })
  )
})
