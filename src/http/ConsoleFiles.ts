import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { join } from "node:path"
import { Disk } from "../ground/Disk.ts"
import type { HttpReply, RequestHead } from "../ground/Visits.ts"
import { one } from "./Credential.ts"
import { pathOf, PublicHttp } from "./PublicHttp.ts"
import { conditionOf } from "./Ranges.ts"

/** Where the build has put the page and `files.json`; undefined: there is none. */
export const ConsoleFolder = Context.Reference<string | undefined>("camera-service/http/ConsoleFolder", {
  defaultValue: () => undefined
})

/** What the build tells of each file, by the path that it has for browsers. */
const Manifest = Schema.fromJsonString(
  Schema.Record(
    Schema.String,
    Schema.Struct({
      /** its name in the folder; with `.br` and `.gz` behind it where it is there compressed */
      file: Schema.String,
      type: Schema.String,
      etag: Schema.String,
      encodings: Schema.Array(Schema.Literals(["br", "gzip"]))
    })
  )
)
type Entry = (typeof Manifest)["Type"][string]

const page = "/"
const suffixes = { br: ".br", gzip: ".gz" } as const

/** What the page may do: load what is here, and nothing that was text a moment ago (CSP 3; Trusted Types). */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'"
].join("; ")

/**
 * The web console: `GET /` and the files that it is made of, whose names change with what is in them. Nothing is read
 * before the first browser comes, and no file but those that the build has named.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const http = yield* PublicHttp
    const disk = yield* Disk
    const folder = yield* ConsoleFolder
    if (folder === undefined) return

    const [manifest, forget] = yield* Effect.cachedInvalidateWithTTL(
      Effect.map(
        Effect.flatMap(disk.text(join(folder, "files.json")), Schema.decodeUnknownEffect(Manifest)),
        (files) => new Map(Object.entries(files))
      ),
      Duration.infinity
    )
    // a disk that could not be read may be read the next time
    const known = Effect.onError(manifest, () => forget)

    const read = (name: string) =>
      Effect.scoped(
        Effect.gen(function* () {
          const file = yield* disk.open(join(folder, name))
          const { bytes } = yield* file.state
          return yield* file.read(0, bytes)
        })
      )

    const serve = Effect.fn("ConsoleFiles.serve", { kind: "server" })(function* (path: string, request: RequestHead) {
      const entry = (yield* known).get(path)
      if (entry === undefined) return plain(404, "Not Found\n")
      if (request.method !== "GET" && request.method !== "HEAD") {
        return plain(405, "Method Not Allowed\n", { allow: "GET, HEAD" })
      }
      const headers = headersOf(path, entry)
      // no date: the name, or the ETag, says it all
      const condition = conditionOf(
        (name) => (/^if-(none-)?match$/.test(name) ? one(request.headers[name]) : undefined),
        {
          etag: entry.etag,
          modified: 0
        }
      )
      if (condition === "precondition failed") return { status: 412, headers, body: "" }
      if (condition === "not modified") return { status: 304, headers, body: "" }
      const encoding = encodingFor(request, entry)
      const body = yield* read(encoding === undefined ? entry.file : `${entry.file}${suffixes[encoding]}`)
      return {
        status: 200,
        headers: encoding === undefined ? headers : { ...headers, "content-encoding": encoding },
        body
      }
    })

    yield* http.handle(page, (request) =>
      serve(pathOf(request.target), request).pipe(
        Effect.catchCause((cause) =>
          Effect.as(
            Effect.logError("a file of the console cannot be read", cause),
            plain(503, "The console cannot be read from the disk: see the service's log\n")
          )
        )
      )
    )
  })
)

const plain = (status: number, body: string, headers: HttpReply["headers"] = {}): HttpReply => ({
  status,
  headers: { ...headers, "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
  body
})

const headersOf = (path: string, { encodings, etag, type }: Entry): HttpReply["headers"] => ({
  "content-type": type,
  etag,
  "cache-control": path === page ? "no-store" : "public, max-age=31536000, immutable",
  ...(encodings.length === 0 ? {} : { vary: "Accept-Encoding" }),
  "content-security-policy": policy,
  // whoever opened the page, and whom it opens, gets no hold of it
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY"
})

/** The first of ours that the browser takes (RFC 9110, 12.5.3); one with a weight of 0 it does not take. */
const encodingFor = ({ headers }: RequestHead, { encodings }: Entry) => {
  const accepted = new Set(
    (one(headers["accept-encoding"]) ?? "")
      .split(",")
      .map((part) => part.trim().toLowerCase())
      .filter((part) => !/;\s*q=0(\.0*)?$/.test(part))
      .map((part) => part.split(";")[0]?.trim())
  )
  return encodings.find((encoding) => accepted.has(encoding))
}
