import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { unlink, writeFile } from "node:fs/promises"
import { createServer, type Server } from "node:net"
import { join } from "node:path"
import { PublicHttp } from "../../src/http/PublicHttp.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { Files } from "../../src/storage/Files.ts"
import { jpeg } from "../storage/Workbench.ts"
import { ask } from "./Client.ts"
import { digits, get, recorded, refused, running, tokenFor } from "./DownloadsBench.ts"

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
})
