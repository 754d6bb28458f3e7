import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { JsonReply, JsonRequest } from "../src/ground/Loopback.ts"
import type { PathOptions } from "../src/process/MediaMtxReplies.ts"
import { type makePaths, page, refusal } from "./MediaMtxPaths.ts"
import type { PlayedProcess } from "./Programs.ts"
import type { makeRecorder } from "./Recorder.ts"

export interface Live {
  readonly ready: boolean
  readonly readers: number
  readonly sps: string | undefined
  readonly recorder: ReturnType<typeof makeRecorder> | undefined
}
export const idle: Live = { ready: false, readers: 0, sps: undefined, recorder: undefined }

/** What its hook is asked: who wants to do what. */
export type Question = { readonly action: string } & PathOptions

/** Whoever knows the secret has the session. */
export interface HttpReader {
  readonly protocol: "hls" | "webrtc"
  readonly path: string
  readonly secret: string
}

/** One run of MediaMTX. */
export interface Run {
  readonly process: PlayedProcess
  /** a line of its log */
  readonly say: (line: string) => void
  /** how many there were before, and this one */
  readonly number: number
  readonly rtspPort: number
  readonly hook: { readonly port: number; readonly path: string; readonly headers: NonNullable<JsonRequest["headers"]> }
  readonly global: PathOptions
  readonly paths: ReturnType<typeof makePaths>
  readonly live: Map<string, Live>
  /** the addresses of RTSP clients, by their sessions */
  readonly sessions: Map<string, string>
  /** the same by their connections */
  readonly connections: Map<string, string>
  /** who reads over HTTP, by their sessions */
  readonly readers: Map<string, HttpReader>
  /** sessions of who may read over HTTP, and waits for a stream */
  readonly held: Set<string>
}

export const change = ({ live }: Run, path: string, what: Partial<Live>) =>
  Effect.sync(() => live.set(path, { ...(live.get(path) ?? idle), ...what }))

const isOptions = Schema.is(Schema.Record(Schema.String, Schema.Json))

const stateOf = (name: string, { ready, readers }: Live) => ({
  name,
  available: ready,
  readers: Array.from({ length: readers }, (_, i) => ({ type: "rtspSession", id: String(i) })),
  inboundBytes: 0,
  outboundBytes: 0
})

/** What its API does. `at`: monotonic milliseconds */
export const callApi = (now: Run, { body, method, path }: JsonRequest, at: number): JsonReply => {
  if (method === "OPTIONS") return { status: 204, body: undefined }
  const url = new URL(path, "http://api")
  const [, action = "", name = ""] = /\/(list|get|add|replace|patch|delete|kick)(?:\/(.*))?$/.exec(url.pathname) ?? []
  const wanted = decodeURIComponent(name)
  if (url.pathname === "/v3/info") return { status: 200, body: { version: "v1.21.0", started: String(now.number) } }
  if (url.pathname === "/v3/config/global/get") return { status: 200, body: now.global }
  if (url.pathname === "/v3/config/pathdefaults/get") return now.paths.defaults()
  if (url.pathname.startsWith("/v3/rtspconns/get/")) {
    const remoteAddr = now.connections.get(wanted)
    return remoteAddr === undefined ? refusal(404, "connection not found") : { status: 200, body: { remoteAddr } }
  }
  const [, protocol] = /^\/v3\/(hls|rtsp|webrtc)sessions\//.exec(url.pathname) ?? []
  if (protocol !== undefined) {
    const ids = protocol === "rtsp" ? now.sessions.keys() : now.readers.keys()
    const sessions = [...ids].filter((id) => protocol === "rtsp" || now.readers.get(id)?.protocol === protocol)
    if (action === "list") return page(sessions.map((id) => ({ id })))
    const remoteAddr = sessions.includes(wanted) ? (now.sessions.get(wanted) ?? "127.0.0.1:1") : undefined
    if (action === "kick" && remoteAddr !== undefined) {
      now.sessions.delete(wanted)
      now.readers.delete(wanted)
      return { status: 200, body: { status: "ok" } }
    }
    return remoteAddr === undefined ? refusal(404, "session not found") : { status: 200, body: { remoteAddr } }
  }
  if (url.pathname.startsWith("/v3/config/paths/")) {
    if (action === "list") return now.paths.list()
    if (method === "DELETE") {
      now.live.delete(wanted)
      return now.paths.remove(wanted)
    }
    const reply = now.paths.set(action, wanted, isOptions(body) ? body : {})
    // a recorder that is switched off closes its file at once
    if (now.paths.options(wanted)?.["record"] === false) now.live.get(wanted)?.recorder?.close(at)
    return reply
  }
  if (url.pathname === "/v3/paths/list") {
    return page(now.paths.names().map((path) => stateOf(path, now.live.get(path) ?? idle)))
  }
  if (!url.pathname.startsWith("/v3/paths/get/")) return refusal(404, "not found")
  if (now.paths.options(wanted) === undefined) return refusal(404, "path not found")
  return { status: 200, body: stateOf(wanted, now.live.get(wanted) ?? idle) }
}

/** What an RTSP client is told of a stream (RFC 2326, 10.2; RFC 8866). */
export const described = ({ live }: Run, path: string): Described => {
  const { ready, sps } = live.get(path) ?? idle
  if (!ready) return { status: "404 Not Found" }
  const sets = sps === undefined ? "" : `; sprop-parameter-sets=${sps},aM48gA==`
  return { status: "200 OK", body: `v=0\r\nm=video 0 RTP/AVP 96\r\na=fmtp:96 packetization-mode=1${sets}\r\n` }
}

export interface Described {
  readonly status: string
  readonly body?: string
}
