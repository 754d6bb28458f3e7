import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Loopback } from "../ground/Loopback.ts"
import { authority } from "../config/Hosts.ts"

/** The description of a stream could not be had. */
class DescribeFailed extends Schema.TaggedError<DescribeFailed>()("DescribeFailed", {
  detail: Schema.String
}) {}

/** A whole RTSP reply (RFC 2326, 7 and 12.14), or undefined while it is still arriving. */
const whole = (heard: string): { readonly status: string; readonly body: string } | undefined => {
  const end = heard.indexOf("\r\n\r\n")
  if (end === -1) return undefined
  const length = Number(/^content-length:\s*(\d+)/im.exec(heard.slice(0, end))?.[1] ?? 0)
  const body = heard.slice(end + 4)
  if (body.length < length) return undefined
  return { status: /^RTSP\/1\.0 (\d+)/.exec(heard)?.[1] ?? "no status", body: body.slice(0, length) }
}

/**
 * Asks an RTSP server on this machine for a stream's SDP (RFC 2326, 10.2; RFC 8866). Nothing is set up or played, so it
 * counts as no reader.
 */
export const describe = Effect.fn("RtspDescribe.describe")(function* (
  { ask }: Loopback["Service"],
  options: {
    readonly host: string
    readonly port: number
    readonly path: string
    readonly user: string
    readonly password: string
  }
) {
  const credentials = btoa(`${options.user}:${options.password}`)
  const request = [
    `DESCRIBE rtsp://${authority(options.host, options.port)}/${options.path} RTSP/1.0`,
    "CSeq: 1",
    "Accept: application/sdp",
    `Authorization: Basic ${credentials}`,
    "\r\n"
  ].join("\r\n")
  const { body, status } = yield* ask(options, request, whole).pipe(
    Effect.mapError(({ detail }) => new DescribeFailed({ detail })),
    Effect.timeoutOrElse({
      duration: "2 seconds",
      orElse: () => Effect.fail(new DescribeFailed({ detail: "no answer within 2 s" }))
    })
  )
  return status === "200" ? body : yield* new DescribeFailed({ detail: `the server answered ${status}` })
})
