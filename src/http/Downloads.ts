import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http"
import { AuthFailed, NotFound } from "../../schema/Errors.ts"
import { Tokens } from "../auth/Tokens.ts"
import { FileIndex } from "../storage/FileIndex.ts"
import { Files, type OpenFile } from "../storage/Files.ts"
import { Holds } from "../storage/Holds.ts"
import { contentTypeOf, type FileKind } from "../storage/Names.ts"
import { pathOf, PublicHttp } from "./PublicHttp.ts"
import { matchesAny, parseRange, rangeApplies } from "./Ranges.ts"

/** A client that takes no byte for so long is gone, or wants to hold the file open for ever. */
const stalledAfterMs = 60_000

/** `GET` and `HEAD` of `/files/recordings/NAME` and `/files/snapshots/NAME`, for whoever may see the file's camera. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const http = yield* PublicHttp
    const tokens = yield* Tokens
    const index = yield* FileIndex
    const files = yield* Files
    const holds = yield* Holds
    const run = yield* FiberSet.makeRuntime()

    /** the file, if this request may have it; one that it may not see is not found, like one that is not there */
    const permitted = Effect.fnUntraced(function* (kind: FileKind, filename: string, request: IncomingMessage) {
      const credential = credentialOf(request)
      if (credential === undefined) return yield* new AuthFailed({ reason: "a token is needed" })
      const session = yield* tokens.verify(credential)
      const entry = yield* index.get(kind, filename)
      const visible = entry !== undefined && (session.cameras?.includes(entry.device) ?? true)
      if (!visible) return yield* new NotFound({ resource: kind, id: filename })
      yield* holds.hold(kind, filename, "DOWNLOADING")
      return yield* files.open(kind, filename)
    })

    const serve = Effect.fn("Downloads.serve", { kind: "server" })(
      function* (kind: FileKind, filename: string, request: IncomingMessage, response: ServerResponse) {
        yield* Effect.annotateCurrentSpan({ "file.kind": kind, "file.name": filename })
        if (request.method !== "GET" && request.method !== "HEAD") return refuse(response, 405, { allow: "GET, HEAD" })
        const file = yield* permitted(kind, filename, request)
        const { status, headers, part } = replyTo(request, kind, filename, file)
        response.writeHead(status, headers)
        if (part === undefined || request.method === "HEAD") return void response.end()
        yield* send(file, part, response)
      },
      Effect.scoped,
      (effect, _kind, _filename, _request, response) =>
        effect.pipe(
          Effect.catchTags({
            AuthFailed: () => Effect.sync(() => refuse(response, 401, { "www-authenticate": "Bearer" })),
            NotFound: () => Effect.sync(() => refuse(response, 404)),
            DependencyFailed: () => Effect.sync(() => refuse(response, 503))
          }),
          Effect.catchDefect((cause) =>
            Effect.andThen(
              Effect.logError("a download failed", cause),
              Effect.sync(() => refuse(response, 500))
            )
          )
        )
    )

    const listener = (kind: FileKind, prefix: string) => (request: IncomingMessage, response: ServerResponse) => {
      const fiber = run(serve(kind, nameOf(request, prefix), request, response))
      // a client that hangs up, or stalls, ends it here, and with it the open file
      response.setTimeout(stalledAfterMs, () => response.destroy())
      response.once("close", () => fiber.interruptUnsafe())
    }
    for (const kind of ["recording", "snapshot"] as const) {
      const prefix = `/files/${kind}s/`
      yield* http.handle(prefix, listener(kind, prefix))
    }
  })
)

/** A JWT as a Bearer token (RFC 6750), or what stands in `X-API-Key`. */
const credentialOf = (request: IncomingMessage): string | undefined => {
  const bearer = /^Bearer +([^ ]+) *$/i.exec(request.headers.authorization ?? "")?.[1]
  const key = request.headers["x-api-key"]
  return bearer ?? (typeof key === "string" && key !== "" ? key : undefined)
}

/** What follows the prefix; a malformed one is nobody's name. */
const nameOf = (request: IncomingMessage, prefix: string): string => {
  try {
    return decodeURIComponent(pathOf(request.url).slice(prefix.length))
  } catch {
    return ""
  }
}

const refuse = (response: ServerResponse, status: number, headers: OutgoingHttpHeaders = {}): void => {
  if (response.headersSent) return void response.destroy()
  response.writeHead(status, { ...headers, "cache-control": "no-store", "content-length": 0 })
  response.end()
}

interface Part {
  readonly first: number
  readonly length: number
}

/** The answer's head, and which bytes follow it (RFC 9110: If-None-Match comes before Range). */
const replyTo = (request: IncomingMessage, kind: FileKind, filename: string, file: OpenFile) => {
  const etag = `"${file.bytes.toString(16)}-${file.modified.toString(16)}"`
  const lastModified = new Date(file.modified).toUTCString()
  const headers: OutgoingHttpHeaders = {
    etag,
    "last-modified": lastModified,
    "cache-control": "private, no-cache",
    "accept-ranges": "bytes",
    "x-content-type-options": "nosniff"
  }
  if (matchesAny(request.headers["if-none-match"], etag)) return { status: 304, headers, part: undefined }

  const ranged = request.method === "GET" && rangeApplies(ifRangeOf(request), etag, lastModified)
  const range = ranged ? parseRange(request.headers.range, file.bytes) : undefined
  if (range === "unsatisfiable") {
    const none = { ...headers, "content-range": `bytes */${file.bytes}`, "content-length": 0 }
    return { status: 416, headers: none, part: undefined }
  }
  const part: Part =
    range === undefined
      ? { first: 0, length: file.bytes }
      : { first: range.first, length: range.last - range.first + 1 }
  const whole = {
    ...headers,
    "content-type": contentTypeOf(kind, filename) ?? "application/octet-stream",
    "content-length": part.length,
    // names are letters, digits, dots, dashes and underscores: nothing to escape
    "content-disposition": `attachment; filename="${filename}"`
  }
  return range === undefined
    ? { status: 200, headers: whole, part }
    : {
        status: 206,
        headers: { ...whole, "content-range": `bytes ${range.first}-${range.last}/${file.bytes}` },
        part
      }
}

const ifRangeOf = (request: IncomingMessage): string | undefined => {
  const value = request.headers["if-range"]
  return Array.isArray(value) ? value[0] : value
}

/** Bytes that are read at once. */
const chunk = 64 * 1024

/** Sends as fast as the client takes it. A file that became shorter meanwhile ends in a cut connection, not a silent gap. */
const send = Effect.fnUntraced(
  function* (file: OpenFile, { first, length }: Part, response: ServerResponse) {
    for (let sent = 0; sent < length && !response.destroyed;) {
      const bytes = yield* file.read(first + sent, Math.min(chunk, length - sent))
      if (bytes.length === 0) return void response.destroy()
      sent += bytes.length
      if (!response.destroyed && !response.write(bytes)) yield* drained(response)
    }
    response.end()
  },
  (sending, _file, _part, response) =>
    Effect.catchTag(sending, "DependencyFailed", () => Effect.sync(() => response.destroy()))
)

/** A client that goes meanwhile interrupts this. */
const drained = (response: ServerResponse) =>
  Effect.callback<void>((resume) => {
    const taken = () => resume(Effect.void)
    response.once("drain", taken)
    return Effect.sync(() => response.off("drain", taken))
  })
