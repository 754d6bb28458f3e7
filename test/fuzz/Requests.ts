import * as fc from "fast-check"
import type { Question } from "../../testing/Visitors.ts"

/** What a visitor may show, by the words that stand for it in a request. */
export interface Shown {
  /** a viewer's token */
  readonly TOKEN: string
  /** a key of an operator's */
  readonly APIKEY: string
  /** a viewing key of the camera */
  readonly VIEWING: string
  /** what opens the picture, in a URL */
  readonly SIGNED: string
  /** what opens the camera's stream, in a URL */
  readonly STREAM: string
  /** what MediaMTX shows with its questions */
  readonly ASKER: string
}
const words = ["TOKEN", "APIKEY", "VIEWING", "SIGNED", "STREAM", "ASKER"] as const

/** The only file and the only camera that there are. */
export const picture = "/files/snapshots/a.jpg"
const camera = "camera0"
const authPath = "/mediamtx/auth"
const session = "00000000-0000-4000-8000-0000000000ff"
const streams = [
  ...["/whep/camera0", `/whep/camera0/${session}`, "/hls/camera0/index.m3u8", "/hls/camera0/gap.mp4"],
  `/hls/camera0/main_stream.m3u8?session=${session}&_HLS_msn=1`
]

const recorded = ["/export/camera0", "/export/camera0/", "/thumbnails/camera0/1767323040.jpg"]

export type Port = "public" | "local"

export interface Request extends Question {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly port: Port
}

const segments = fc.oneof(
  fc.constantFrom(
    ...[
      "files",
      "recordings",
      "snapshots",
      "a.jpg",
      "none.mp4",
      "secrets",
      "jwt_secret",
      "index.sqlite",
      "ws",
      "health"
    ],
    ...["live", "ready", "detailed", "mediamtx", "auth", "metrics", "", ".", "..", "%2e%2e", "%2F", "%00", "%", "%zz"],
    ...["%C0%AE", "a%20b", "con:", "\u{1F681}"]
  ),
  fc.string({ maxLength: 12 })
)
const queries = fc.constantFrom(
  ...["", "", "", "?", "?token=TOKEN", "?a=b&a=c", "#x", `?${"x".repeat(3000)}`],
  ...["?signed=SIGNED", "?signed=SIGNED&disposition=inline", "?signed=SIGNEDx", "?signed=", "?signed=..camera0..x"],
  ...["?signed=%00&signed=SIGNED", "?signed=STREAM", "?signed=TOKEN"],
  ...[
    "?from=2026-01-02T03:04:00Z&to=2026-01-02T03:05:00Z",
    "?from=2026-01-02T03:04:00Z&to=2026-01-02T03:05:00Z&signed=SIGNED"
  ],
  ...["?from=now&to=now", "?from=0000-01-01T00:00:00Z&to=9999-12-31T23:59:59Z", "?from=%00&to=&from=x"]
)
const paths = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      picture,
      picture,
      "/files/recordings/none.mp4",
      "/health",
      authPath,
      "/metrics",
      ...streams,
      ...recorded
    )
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          "/",
          "/files/snapshots/",
          "/files/recordings/",
          "/ws",
          "/health/",
          "/export/",
          "/thumbnails/",
          "/mediamtx/",
          "http://evil/",
          "*",
          ""
        ),
        fc.array(segments, { maxLength: 4 })
      )
      .map(([start, rest]) => start + rest.join("/"))
  }
)

const credentials = ["Bearer TOKEN", "Bearer APIKEY", "Bearer  TOKEN ", "Bearer TOKENx", "Bearer VIEWING", "Bearer"]
const headers = fc
  .record(
    {
      authorization: fc.oneof(
        fc.constantFrom(
          ...credentials,
          "bearer TOKEN",
          "TOKEN",
          "Basic dTpw",
          "Basic ASKER",
          "Bearer SIGNED",
          "Bearer a b"
        ),
        fc.string({ maxLength: 30, unit: "binary-ascii" })
      ),
      "x-api-key": fc.oneof(
        fc.constantFrom("APIKEY", "TOKEN", "APIKEYx", "VIEWING", ""),
        fc.string({ maxLength: 30, unit: "binary-ascii" })
      ),
      range: fc.oneof(
        fc.constantFrom(
          "bytes=0-",
          "bytes=0-0",
          "bytes=-1",
          "bytes=5-2",
          "bytes=0-1,3-4",
          "bytes=a-b",
          "bytes=9e9-",
          "rows=1-2"
        ),
        fc.tuple(fc.nat(), fc.nat()).map(([from, to]) => `bytes=${from}-${to}`),
        fc.string({ maxLength: 12 }).map((text) => `bytes=${text}`)
      ),
      "if-range": fc.constantFrom('"a"', 'W/"a"', "Sat, 30 Feb 2030 99:99:99 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"),
      "if-none-match": fc.constantFrom("*", '"a"', 'W/"a", "b"', ",", ""),
      "if-match": fc.constantFrom("*", '"a"', '"'),
      "if-modified-since": fc.constantFrom("Sat, 30 Feb 2030 99:99:99 GMT", "Fri, 01 Jan 2100 00:00:00 GMT", "never"),
      host: fc.constantFrom("127.0.0.1:8002", "[::1]", "evil.example", "", "a b", ":"),
      origin: fc.constantFrom("null", "http://127.0.0.1:8002", "https://evil.example", "*"),
      "access-control-request-method": fc.constantFrom("GET", "POST", "X"),
      accept: fc.constantFrom("*/*", "application/openmetrics-text;version=1.0.0", "text/html;q=0.9,,;", ";"),
      "content-type": fc.constantFrom("application/json", "multipart/form-data", ""),
      cookie: fc.string({ maxLength: 30 }),
      "x-forwarded-proto": fc.constantFrom("https", "http", "javascript"),
      expect: fc.constant("100-continue")
    },
    { requiredKeys: [], noNullPrototype: true }
  )
  // most have few
  .chain((all) =>
    fc
      .shuffledSubarray(Object.entries(all), { maxLength: 4 })
      .map((some) => Object.fromEntries(some) as Record<string, string>)
  )

/** What MediaMTX asks, and what it never would. */
const credential = fc.constantFrom(
  "",
  "",
  ...words,
  "TOKENx",
  "VIEWINGx",
  "Bearer TOKEN",
  "x".repeat(9000),
  "\u0000",
  "__proto__"
)
const asked = fc.record(
  {
    user: fc.constantFrom("", "viewer", "camera-service", "camera-service-api"),
    password: credential,
    token: credential,
    action: fc.constantFrom("read", "read", "playback", "publish", "api", "metrics", "pprof", "READ", ""),
    path: fc.constantFrom(camera, camera, "camera1", "camera0/", "../camera0", "camera00", "", "constructor"),
    query: fc.oneof(
      credential.map((text) => `token=${text}`),
      fc.constantFrom("", "?", "token", "token=&token=TOKEN", "&&&=", "%"),
      fc.string()
    ),
    ip: fc.constantFrom("127.0.0.1", "192.0.2.1", "2001:db8::1", "", "not an address"),
    protocol: fc.constantFrom("rtsp", "hls", "webrtc", "srt", "gopher", ""),
    id: fc.constantFrom(null, "7f3a", "")
  },
  { noNullPrototype: true }
)
const bodies = fc.oneof(
  { weight: 4, arbitrary: asked.map((one) => JSON.stringify(one)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(asked, fc.nat(8), fc.jsonValue())
      .map(([one, at, value]) => JSON.stringify(broken(one, at, value)))
  },
  { weight: 1, arbitrary: fc.oneof(fc.constant(""), fc.json(), fc.string(), fc.constant("x".repeat(70_000))) }
)
const broken = (one: object, at: number, value: unknown): object =>
  Object.fromEntries(Object.entries(one).map((entry, index) => (index === at ? [entry[0], value] : entry)))

/** Many: whoever fails often is answered late. */
const addresses = fc.oneof(
  fc.constantFrom("127.0.0.1", "::1"),
  fc.nat(255).map((host) => `192.0.2.${host}`),
  fc.nat(0xffff).map((network) => `2001:db8:${network.toString(16)}::1`),
  fc.nat(255).map((host) => `::ffff:198.51.100.${host}`)
)

const anything: fc.Arbitrary<Request> = fc.record(
  {
    port: fc.constantFrom<Port>("public", "local"),
    method: fc.constantFrom("GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "get", "TRACE", "X"),
    target: fc.tuple(paths, queries).map(([path, query]) => path + query),
    headers,
    body: bodies,
    address: addresses
  },
  { noNullPrototype: true }
)
const question: fc.Arbitrary<Request> = fc.record(
  {
    port: fc.constant<Port>("local"),
    method: fc.constant("POST"),
    target: fc.constant(authPath),
    headers: fc.constant({ authorization: "Basic ASKER" }),
    body: bodies,
    address: fc.constant("127.0.0.1")
  },
  { noNullPrototype: true }
)
const download: fc.Arbitrary<Request> = fc.record(
  {
    port: fc.constant<Port>("public"),
    method: fc.constantFrom("GET", "GET", "HEAD"),
    target: queries.map((query) => picture + query),
    headers,
    body: fc.constant(""),
    address: addresses
  },
  { noNullPrototype: true }
)

/** Requests as clients, browsers, MediaMTX and strangers with a grudge send them; words stand for what they show. */
export const request = fc.oneof(anything, question, download)

/** The same with what the words stand for. */
export const showing = (shown: Shown) => {
  const put = (text: string): string => words.reduce((all, word) => all.replaceAll(word, shown[word]), text)
  return (sent: Request): Request => ({
    ...sent,
    target: put(sent.target),
    headers: Object.fromEntries(Object.entries(sent.headers).map(([name, value]) => [name, put(value)])),
    body: put(sent.body)
  })
}

/** Every status that these ports answer with, but for defects. */
const statuses = [200, 201, 204, 206, 304, 400, 401, 403, 404, 405, 412, 413, 415, 416, 426, 429, 503]
const served = [200, 206, 304, 412, 416]

/** What this request, with its words, may be answered by: as the contract says it, not as the code does. */
export const outcomes = ({ body, headers: given, method, port, target }: Request): ReadonlyArray<number> => {
  const [path, query = ""] = target.split("?", 2)
  if (path === picture && port === "public") {
    if (method === "OPTIONS" && given["origin"] !== undefined && given["access-control-request-method"] !== undefined) {
      return [204, 403]
    }
    if (method !== "GET" && method !== "HEAD") return [405]
    const bearer = /^Bearer +([^ ]+) *$/i.exec(given["authorization"] ?? "")?.[1]
    const presented = bearer ?? (given["x-api-key"] === "" ? undefined : given["x-api-key"])
    if (presented !== undefined) return presented === "TOKEN" || presented === "APIKEY" ? served : [401]
    const [, signature] = /(?:^|&)signed=([^&#]*)/.exec(query) ?? []
    if (signature === undefined) return [401]
    return signature === "SIGNED" ? served : [403]
  }
  if (target === authPath && port === "local") {
    if (method !== "POST") return [405]
    if (given["origin"] !== undefined) return [403]
    if (body.length > 65_536) return [413]
    return given["authorization"] === "Basic ASKER" ? questionOutcomes(body) : [403]
  }
  if (target === "/metrics" && port === "local") return method === "GET" || method === "HEAD" ? [200, 413] : [405]
  return statuses
}

const questionOutcomes = (body: string): ReadonlyArray<number> => {
  let one: Readonly<Record<string, unknown>>
  try {
    one = JSON.parse(body) as Readonly<Record<string, unknown>>
  } catch {
    return [400]
  }
  const names = ["user", "password", "token", "action", "path", "query", "ip", "protocol"]
  const isQuestion =
    typeof one === "object" &&
    one !== null &&
    names.every((name) => typeof one[name] === "string") &&
    /^[0-9a-f.:]{2,45}(?:%[a-z0-9_.-]{1,32})?$/i.test(String(one["ip"])) &&
    (one["id"] === null || (typeof one["id"] === "string" && one["id"].length <= 64))
  if (!isQuestion) return [400]
  const { action, id, password, path, protocol, query, token } = one as Readonly<Record<string, string>>
  const credential = token || password || new URLSearchParams(query).get("token")
  if (action !== "read" && action !== "playback") return [401]
  // nobody could cut off what this opens
  if (id !== null && !["rtsp", "hls", "webrtc", "srt"].includes(protocol ?? "")) return [401]
  // a camera that is away may come back
  const opensAll = ["TOKEN", "APIKEY"].includes(credential ?? "") && /^camera[0-9]+$/.test(path ?? "")
  const opensOne = ["VIEWING", "STREAM"].includes(credential ?? "") && path === camera && action === "read"
  return opensAll || opensOne ? [200] : [401]
}
