import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { clientOf, SharedService, statusOf } from "../support/Service.ts"

const run = promisify(execFile)

/** A recording and a snapshot, and who may have them. */
const withFiles = Effect.gen(function* () {
  const service = yield* SharedService
  const token = yield* service.token({ role: "operator" })
  const client = yield* clientOf(service, { role: "operator" })
  const snapshot = yield* client.call.take_snapshot({ device: "camera0" })
  yield* client.call.start_recording({ device: "camera0" })
  const recording = yield* client.call.stop_recording({ device: "camera0" })
  const file = join(service.ground.folder, "recordings", recording.filename)
  const info = yield* client.call.get_recording_info({
    filename: recording.filename
  })
  const get = (path: string, headers: Readonly<Record<string, string>> = {}, method = "GET") =>
    Effect.promise(() =>
      fetch(`${service.files}${path}`, { method, headers: { authorization: `Bearer ${token}`, ...headers } })
    )
  const url = `/files/recordings/${recording.filename}`
  return { service, snapshot, recording, bytes: readFileSync(file), url, signed: info.download_url, get }
})

const bytesOf = (response: Response) => Effect.promise(async () => Buffer.from(await response.arrayBuffer()))

layer(SharedService.layer(), { timeout: "120 seconds", excludeTestServices: true })("over HTTP", (it) => {
  it.effect("a downloaded recording is the file, byte for byte, under its name", () =>
    Effect.gen(function* () {
      const { bytes, get, recording, url } = yield* withFiles
      const response = yield* get(url)
      assert.strictEqual(response.status, 200)
      assert.include(response.headers.get("content-disposition") ?? "", recording.filename)
      assert.strictEqual(bytes.length, recording.file_size)
      assert.isTrue(bytes.equals(yield* bytesOf(response)))
    })
  )

  it.effect("a download_url gives the file as it stands", () =>
    Effect.gen(function* () {
      const { bytes, signed, url } = yield* withFiles
      const response = yield* Effect.promise(() => fetch(signed))
      assert.strictEqual(response.status, 200)
      assert.isTrue(bytes.equals(yield* bytesOf(response)))
      const { stdout } = yield* Effect.promise(() => run("curl", ["-sS", signed], { encoding: "buffer" }))
      assert.isTrue(bytes.equals(stdout))
      assert.strictEqual(yield* statusOf(signed.replace(url, `${url}x`)), 403)
    })
  )

  it.effect("a download that broke off can be taken up again where it stopped", () =>
    Effect.gen(function* () {
      const { bytes, get, url } = yield* withFiles
      const head = yield* get(url, {}, "HEAD")
      assert.strictEqual(head.headers.get("content-length"), String(bytes.length))
      const etag = head.headers.get("etag") ?? ""
      const first = yield* get(url, { range: "bytes=0-999" })
      const rest = yield* get(url, { range: "bytes=1000-", "if-range": etag })
      assert.deepStrictEqual([first.status, rest.status], [206, 206])
      assert.strictEqual(rest.headers.get("content-range"), `bytes 1000-${bytes.length - 1}/${bytes.length}`)
      assert.isTrue(bytes.equals(Buffer.concat([yield* bytesOf(first), yield* bytesOf(rest)])))
      assert.strictEqual((yield* get(url, { "if-none-match": etag })).status, 304)
      assert.strictEqual((yield* get(url, { range: `bytes=${bytes.length}-` })).status, 416)
    })
  )

  it.effect("a snapshot is a JPEG of the size that the reply told", () =>
    Effect.gen(function* () {
      const { get, snapshot } = yield* withFiles
      const response = yield* get(`/files/snapshots/${snapshot.filename}`)
      assert.strictEqual(response.headers.get("content-type"), "image/jpeg")
      const picture = yield* bytesOf(response)
      assert.strictEqual(picture.length, snapshot.file_size)
      assert.strictEqual(picture.toString("hex", 0, 2), "ffd8")
    })
  )

  it.effect("without a token, or outside of the two folders, there is nothing to have", () =>
    Effect.gen(function* () {
      const { get, service, url } = yield* withFiles
      assert.strictEqual(yield* statusOf(`${service.files}${url}`), 401)
      const headers = { authorization: "Bearer nonsense" }
      assert.strictEqual(yield* statusOf(`${service.files}${url}`, { headers }), 401)
      for (const path of ["..%2fsecrets%2fjwt_secret", "%2e%2e/secrets/jwt_secret", "cameras.json", ""]) {
        assert.strictEqual((yield* get(`/files/recordings/${path}`)).status, 404, path)
      }
    })
  )

  it.effect("health is told to anybody, without delay while the service works, and never from a cache", () =>
    Effect.gen(function* () {
      const service = yield* SharedService
      const client = yield* clientOf(service, { role: "operator" })
      yield* Effect.forkScoped(client.call.take_snapshot({ device: "camera1", format: "png", max_age_ms: 0 }))
      for (const path of ["/health", "/health/detailed", "/health/ready", "/health/live"]) {
        const response = yield* Effect.promise(() => fetch(`${service.health}${path}`))
        assert.strictEqual(response.status, 200, path)
        assert.strictEqual(response.headers.get("cache-control"), "no-store")
        const body = yield* Effect.promise(() => response.json() as Promise<Readonly<Record<string, unknown>>>)
        assert.isString(body["status"], path)
      }
      const detailed = yield* Effect.promise(() =>
        fetch(`${service.health}/health/detailed`).then((response) => response.json() as Promise<object>)
      )
      const components = { websocket_server: "RUNNING", camera_monitor: "RUNNING", mediamtx: "RUNNING" }
      assert.deepInclude(detailed, { status: "HEALTHY", components })
    })
  )

  it.effect("MediaMTX's question is answered to MediaMTX alone, and tells nobody else whether a token is right", () =>
    Effect.gen(function* () {
      const { health, token } = yield* SharedService
      const question = { user: "", password: yield* token({ role: "viewer" }), token: "", path: "camera0", query: "" }
      const body = JSON.stringify({ ...question, id: null, ip: "::1", protocol: "rtsp", action: "read" })
      for (const shown of ["", "mediamtx:", `mediamtx:${"x".repeat(32)}`]) {
        const headers = { authorization: `Basic ${btoa(shown)}` }
        assert.strictEqual(yield* statusOf(`${health}/mediamtx/auth`, { method: "POST", body, headers }), 403)
      }
    })
  )
})
