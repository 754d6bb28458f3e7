import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { Certificate } from "../../src/config/Certificate.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { Network } from "../../src/ground/Network.ts"
import * as ConsoleFiles from "../../src/http/ConsoleFiles.ts"
import { PublicHttp } from "../../src/http/PublicHttp.ts"
import { settingsWith, temporaryFolder } from "../storage/Workbench.ts"
import { ask } from "./Client.ts"

const settings = settingsWith({ server: { host: "127.0.0.1", port: 0 } })
const script = "let x = 1\n".repeat(100)

const write = (folder: string) => {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "index.html"), "<!doctype html>")
  writeFileSync(join(folder, "main-abc.js"), script)
  writeFileSync(join(folder, "main-abc.js.gz"), gzipSync(script))
  writeFileSync(join(folder, "secret.txt"), "nobody's")
  const files = {
    "/": { file: "index.html", type: "text/html; charset=utf-8", etag: '"page"', encodings: [] },
    "/console/main-abc.js": {
      file: "main-abc.js",
      type: "text/javascript; charset=utf-8",
      etag: '"main"',
      encodings: ["gzip"]
    }
  }
  writeFileSync(join(folder, "files.json"), JSON.stringify(files))
}

const over = (folder: string | undefined) =>
  ConsoleFiles.layer.pipe(
    Layer.provide(Layer.succeed(ConsoleFiles.ConsoleFolder, folder)),
    Layer.provideMerge(PublicHttp.layer),
    Layer.provide(Certificate.layer),
    Layer.provide([settings, Network.layer, Disk.layer])
  )

const get = Effect.fnUntraced(function* (path: string, headers: Record<string, string> = {}, method = "GET") {
  const { address } = yield* PublicHttp
  return yield* ask(address.port, path, { method, headers })
})

const built = Layer.unwrap(
  Effect.map(temporaryFolder, (root) => {
    write(join(root, "console"))
    return over(join(root, "console"))
  })
)

layer(built)("the console's files", (it) => {
  it.effect("the page is never kept, and may do only what its policy says", () =>
    Effect.gen(function* () {
      const { body, headers, status } = yield* get("/?fullscreen")
      assert.strictEqual(status, 200)
      assert.strictEqual(body, "<!doctype html>")
      assert.strictEqual(headers["cache-control"], "no-store")
      assert.strictEqual(headers["referrer-policy"], "no-referrer")
      assert.strictEqual(headers["x-content-type-options"], "nosniff")
      assert.strictEqual(headers["x-frame-options"], "DENY")
      assert.strictEqual(headers["cross-origin-opener-policy"], "same-origin")
      assert.strictEqual(
        headers["content-security-policy"],
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; " +
          "connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; " +
          "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
      )
    })
  )

  it.effect("what the page is made of is kept for good, and sent compressed to whoever takes it", () =>
    Effect.gen(function* () {
      const plain = yield* get("/console/main-abc.js")
      assert.strictEqual(plain.body, script)
      assert.strictEqual(plain.headers["content-encoding"], undefined)
      assert.strictEqual(plain.headers["cache-control"], "public, max-age=31536000, immutable")
      assert.strictEqual(plain.headers["vary"], "Accept-Encoding")
      const packed = yield* get("/console/main-abc.js", { "accept-encoding": "br, gzip;q=0.8" })
      assert.strictEqual(packed.headers["content-encoding"], "gzip")
      assert.strictEqual(packed.headers["content-length"], String(gzipSync(script).length))
      const refused = yield* get("/console/main-abc.js", { "accept-encoding": "gzip;q=0" })
      assert.strictEqual(refused.headers["content-encoding"], undefined)
    })
  )

  it.effect("whoever has a file is told that it is still the same", () =>
    Effect.gen(function* () {
      const { etag = "" } = (yield* get("/console/main-abc.js")).headers
      const again = yield* get("/console/main-abc.js", { "if-none-match": etag })
      assert.deepStrictEqual([again.status, again.body], [304, ""])
      assert.strictEqual((yield* get("/console/main-abc.js", {}, "HEAD")).body, "")
    })
  )

  it.effect("no other file of the folder, nor of another, can be had", () =>
    Effect.gen(function* () {
      for (const path of [
        "/console/secret.txt",
        "/secret.txt",
        "/console/../secret.txt",
        "/console/%2e%2e/files.json",
        "/files.json",
        "/console/",
        "/index.html",
        "/constructor",
        "/__proto__"
      ]) {
        assert.strictEqual((yield* get(path)).status, 404, path)
      }
    })
  )

  it.effect("is only read", () =>
    Effect.gen(function* () {
      const answer = yield* get("/", {}, "POST")
      assert.deepStrictEqual([answer.status, answer.headers["allow"]], [405, "GET, HEAD"])
    })
  )
})

layer(over(undefined))("a service without a console", (it) => {
  it.effect("has nothing there", () =>
    Effect.gen(function* () {
      const { handle } = yield* PublicHttp
      yield* handle("/other/", () => Effect.succeed({ status: 200, headers: {}, body: "" }))
      assert.strictEqual((yield* get("/")).status, 404)
    })
  )
})

const later = join(tmpdir(), `console-${process.pid}`)

layer(over(later))("a console that is not on the disk yet", (it) => {
  it.effect("is there as soon as it is", () =>
    Effect.gen(function* () {
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(later, { recursive: true, force: true })))
      assert.strictEqual((yield* get("/")).status, 503)
      write(later)
      assert.strictEqual((yield* get("/")).status, 200)
    })
  )
})

layer(over("/nowhere"))("a console that is gone from the disk", (it) => {
  it.effect("says so", () =>
    Effect.gen(function* () {
      const { body, status } = yield* get("/")
      assert.strictEqual(status, 503)
      assert.match(body, /cannot be read from the disk/)
    })
  )
})
