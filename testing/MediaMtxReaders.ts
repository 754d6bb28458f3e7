import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { WebAnswer, WebCall } from "../src/ground/Loopback.ts"
import { type HttpReader, idle, type Run } from "./MediaMtxRun.ts"

/** Asks whether somebody may read, as MediaMTX asks its hook. */
type MayRead = (question: Readonly<Record<string, string>>) => Effect.Effect<boolean>

const answer = (status: number, body: string, headers: WebAnswer["headers"] = {}): WebAnswer => ({
  status,
  headers,
  body: body === "" ? Stream.empty : Stream.succeed(new TextEncoder().encode(body))
})
const refused = (status: number, error: string): WebAnswer =>
  answer(status, JSON.stringify({ status: "error", error }), { "content-type": "application/json; charset=utf-8" })

/** Looked for so often, for as long as a path holds its readers. */
const turn = 20
let made = 0
const uuid = (): string => `00000000-0000-4000-8000-${(++made).toString(16).padStart(12, "0")}`

/** Lets a reader in, and holds it until somebody publishes (its `internal/core/path.go`). */
const read = Effect.fnUntraced(function* (
  { held, live, paths, readers }: Run,
  mayRead: MayRead,
  { headers }: WebCall,
  { path, protocol }: Pick<HttpReader, "path" | "protocol">
) {
  const options = paths.options(path)
  if (options === undefined) return refused(400, `path '${path}' is not configured`)
  const id = uuid()
  const token = /^Bearer (.*)$/.exec(headers["authorization"] ?? "")?.[1] ?? ""
  if (!(yield* mayRead({ path, protocol, id, token }))) return refused(401, "authentication error")
  yield* Effect.acquireRelease(
    Effect.sync(() => held.add(id)),
    () => Effect.sync(() => held.delete(id))
  )
  const time = String(options["runOnDemandStartTimeout"])
  const patience = Number.parseFloat(time) * (time.endsWith("ms") ? 1 : 1000)
  const before = JSON.stringify(options)
  for (let waited = 0; !(live.get(path) ?? idle).ready; waited += turn) {
    // one whose options change is closed
    if (JSON.stringify(paths.options(path)) !== before) return refused(400, "terminated")
    if (waited >= patience) return refused(404, `no stream is available on path '${path}'`)
    yield* Effect.sleep(Duration.millis(turn))
  }
  const reader = { protocol, path, secret: uuid() }
  readers.set(id, reader)
  return reader
}, Effect.scoped)

/** WHEP (its `internal/servers/webrtc/http_server.go`). */
export const answerWhep = Effect.fnUntraced(function* (run: Run, mayRead: MayRead, call: WebCall) {
  const [, path = "", secret] = /^\/(.+?)\/whep(?:\/(.+))?$/.exec(call.target) ?? []
  if (secret !== undefined) {
    const [id] = [...run.readers].find(([, reader]) => reader.secret === secret) ?? []
    if (id === undefined) return refused(404, "session not found")
    if (call.method === "DELETE") run.readers.delete(id)
    return call.method === "DELETE" ? answer(200, '{"status":"ok"}') : answer(204, "")
  }
  if (call.body?.includes("m=video") !== true) return refused(400, "invalid offer")
  const reader = yield* read(run, mayRead, call, { path, protocol: "webrtc" })
  if ("status" in reader) return reader
  return answer(201, "v=0\r\na=candidate:1 1 udp 1 127.0.0.1 8189 typ host\r\n", {
    "content-type": "application/sdp",
    etag: "*",
    link: '<stun:stun.example:3478>; rel="ice-server"',
    location: `/${path}/whep/${reader.secret}`
  })
})

/** HLS (its `internal/servers/hls/http_server.go`): an index that names a playlist, which names segments. */
export const answerHls = Effect.fnUntraced(function* (run: Run, mayRead: MayRead, call: WebCall) {
  const { pathname, searchParams } = new URL(call.target, "http://hls")
  const [, path = "", name = ""] = /^\/(.+)\/([^/]+)$/.exec(pathname) ?? []
  const playlist = (text: string) => answer(200, text, { "content-type": "application/vnd.apple.mpegurl" })
  if (name === "index.m3u8") {
    if (!searchParams.has("cookieCheck")) return answer(302, "", { location: `${pathname}?cookieCheck=1` })
    const reader = yield* read(run, mayRead, call, { path, protocol: "hls" })
    return "status" in reader ? reader : playlist(`#EXTM3U\nmain_stream.m3u8?session=${reader.secret}\n`)
  }
  const secret = searchParams.get("session")
  const isKnown = [...run.readers.values()].some((reader) => reader.secret === secret && reader.path === path)
  if (!isKnown) return refused(401, "authentication error")
  if (name === "main_stream.m3u8") {
    if (searchParams.has("_HLS_msn")) yield* Effect.sleep("500 millis")
    const head = "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:0.80000,"
    return playlist(`${head}\n${secret?.slice(-4)}_main_seg0.mp4?session=${secret}\n`)
  }
  return name.endsWith("_main_seg0.mp4") ? answer(200, "moof", { "content-type": "video/mp4" }) : answer(404, "")
})
