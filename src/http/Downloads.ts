import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { NotFound } from "../../schema/Errors.ts"
import { inScope } from "../auth/CameraScope.ts"
import { untilOver } from "../auth/Credentials.ts"
import { type HttpReply, type HttpRequest, ReplyBroken, type RequestHead } from "../ground/Visits.ts"
import { FileIndex } from "../storage/FileIndex.ts"
import { Files, type ReadableFile } from "../storage/Files.ts"
import { Holds } from "../storage/Holds.ts"
import type { FileKind } from "../storage/Names.ts"
import { one } from "./Credential.ts"
import { makeFileVisitors } from "./FileVisitors.ts"
import { pathOf, PublicHttp, queryOf } from "./PublicHttp.ts"
import { conditionOf, parseRange, rangeApplies } from "./Ranges.ts"
import { failure, refusal } from "./Refusal.ts"
import { refusedVisitor } from "./RefusedVisitor.ts"
import { downloadPace, tooManyAtOnce, VisitLimits } from "./VisitLimits.ts"

/** So much of a file is read at a time. */
const readBytes = 64 << 10

/**
 * `GET` and `HEAD` of `/files/recordings/NAME` and `/files/snapshots/NAME`, for whoever may see the file's camera: by a
 * header, or by a signature in the URL.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const http = yield* PublicHttp
    const visitor = yield* makeFileVisitors
    const index = yield* FileIndex
    const files = yield* Files
    const holds = yield* Holds
    const { admitDownload, atPace } = yield* VisitLimits

    /** the file, if this request may have it; one that it may not see is not found, like one that is not there */
    const permitted = Effect.fnUntraced(function* (kind: FileKind, filename: string, request: RequestHead) {
      const session = yield* visitor(`${kind}/${filename}`, request)
      yield* admitDownload(session, request.address)
      const look = Effect.gen(function* () {
        const entry = yield* index.get(kind, filename)
        if (entry === undefined || !inScope(session.cameras, entry.device)) {
          return yield* new NotFound({ resource: kind, id: filename })
        }
      })
      yield* look
      const { taken } = yield* holds.hold(kind, filename, "DOWNLOADING")
      const file = yield* files.open(kind, filename)
      // another camera's picture may have replaced it meanwhile
      yield* look
      return { file, over: Effect.raceFirst(untilOver(session), taken) }
    })

    const serve = Effect.fn("Downloads.serve", { kind: "server" })(
      function* (kind: FileKind, filename: string, request: HttpRequest) {
        yield* Effect.annotateCurrentSpan({ "file.kind": kind, "file.name": filename })
        if (request.method !== "GET" && request.method !== "HEAD") return notAllowed
        const { file, over } = yield* permitted(kind, filename, request)
        return yield* atPace(replyTo(request, filename, file), downloadPace, over, request.address)
      },
      (serving, _kind, _filename, request) =>
        Effect.catchTags(serving, {
          AuthFailed: (error) => Effect.succeed(refusedVisitor(request, "signed", error)),
          NotFound: (error) => Effect.succeed(failure(404, error)),
          TooManyAtOnce: (error) => Effect.succeed(tooManyAtOnce(error)),
          DependencyFailed: (error) => Effect.succeed(failure(503, error, { "retry-after": 5 }))
        })
    )

    for (const kind of ["recording", "snapshot"] as const) {
      const prefix = `/files/${kind}s/`
      yield* http.handle(prefix, (request) => serve(kind, nameOf(request, prefix), request))
    }
  })
)

/** What follows the prefix; a malformed one is nobody's name. */
const nameOf = ({ target }: RequestHead, prefix: string): string => {
  try {
    return decodeURIComponent(pathOf(target).slice(prefix.length))
  } catch {
    return ""
  }
}

/** A page may show the file, where it asks for that (`?disposition=inline`), instead of saving it (RFC 6266). */
const dispositionOf = (request: RequestHead): "inline" | "attachment" =>
  queryOf(request).get("disposition") === "inline" ? "inline" : "attachment"

const notAllowed = refusal(
  405,
  "Files are only read here",
  "use GET or HEAD; delete_recording and delete_snapshot delete",
  {
    allow: "GET, HEAD"
  }
)

/** The answer, which reads the file as it is sent. */
const replyTo = (request: RequestHead, filename: string, file: ReadableFile): HttpReply => {
  const { headers, method } = request
  const etag = `"${file.bytes.toString(16)}-${file.modified.toString(16)}"`
  const lastModified = new Date(file.modified).toUTCString()
  const common = {
    etag,
    "last-modified": lastModified,
    "cache-control": "private, no-cache",
    "accept-ranges": "bytes",
    "x-content-type-options": "nosniff"
  }
  const condition = conditionOf((name) => one(headers[name]), { etag, modified: file.modified })
  if (condition === "precondition failed") return refusal(412, "The file is another one by now", "ask anew", common)
  if (condition === "not modified") return { status: 304, headers: common, body: "" }

  const ranged = method === "GET" && rangeApplies(one(headers["if-range"]), etag, lastModified)
  const range = ranged ? parseRange(one(headers["range"]), file.bytes) : undefined
  if (range === "unsatisfiable") {
    const headers = { ...common, "content-range": `bytes */${file.bytes}` }
    return refusal(416, `The file has ${file.bytes} bytes`, "ask for a range that begins before its end", headers)
  }
  const { first, last } = range ?? { first: 0, last: file.bytes - 1 }
  const whole = {
    ...common,
    "content-type": file.contentType,
    "content-length": last - first + 1,
    // names are letters, digits, dots, dashes and underscores: nothing to escape
    "content-disposition": `${dispositionOf(request)}; filename="${filename}"`
  }
  const body = bytesOf(file, first, last)
  return range === undefined
    ? { status: 200, headers: whole, body }
    : { status: 206, headers: { ...whole, "content-range": `bytes ${first}-${last}/${file.bytes}` }, body }
}

/** From the first byte to the last; a file that has become shorter meanwhile breaks it. */
const bytesOf = (file: ReadableFile, first: number, last: number): Stream.Stream<Uint8Array, ReplyBroken> =>
  Stream.unfold(
    first,
    Effect.fnUntraced(function* (position) {
      if (position > last) return undefined
      const bytes = yield* Effect.mapError(
        file.read(position, Math.min(readBytes, last - position + 1)),
        (cause) => new ReplyBroken({ cause })
      )
      if (bytes.length === 0) return yield* new ReplyBroken({ cause: "the file ends before it should" })
      return [bytes, position + bytes.length] as const
    })
  )
