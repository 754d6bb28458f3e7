import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { connect } from "node:net"

/** The description of a stream could not be had. */
export class DescribeFailed extends Schema.TaggedError<DescribeFailed>()("DescribeFailed", {
  detail: Schema.String
}) {}

const maxReplyBytes = 64 << 10

/** The body of a whole RTSP reply (RFC 2326, 6 and 12.14), or undefined while it is still arriving. */
const bodyOf = (reply: string): string | undefined => {
  const end = reply.indexOf("\r\n\r\n")
  if (end === -1) return undefined
  const length = Number(/^content-length:\s*(\d+)/im.exec(reply.slice(0, end))?.[1] ?? 0)
  const body = reply.slice(end + 4)
  return body.length >= length ? body.slice(0, length) : undefined
}

/**
 * Asks an RTSP server on this machine for a stream's SDP (RFC 2326, 10.2; RFC 8866). Nothing is set up or played, so it
 * counts as no reader.
 */
export const describe = Effect.fn("RtspDescribe.describe")(function* (options: {
  readonly host: string
  readonly port: number
  readonly path: string
  readonly user: string
  readonly password: string
}) {
  const credentials = Buffer.from(`${options.user}:${options.password}`).toString("base64")
  const request = [
    `DESCRIBE rtsp://${options.host}:${options.port}/${options.path} RTSP/1.0`,
    "CSeq: 1",
    "Accept: application/sdp",
    `Authorization: Basic ${credentials}`,
    "\r\n"
  ].join("\r\n")
  return yield* Effect.callback<string, DescribeFailed>((resume) => {
    const socket = connect(options.port, options.host, () => socket.write(request))
    const fail = (detail: string): void => resume(Effect.fail(new DescribeFailed({ detail })))
    let reply = ""
    socket.setEncoding("latin1")
    socket.on("data", (text: string) => {
      reply += text
      const body = bodyOf(reply)
      if (body !== undefined) {
        const status = /^RTSP\/1\.0 (\d+)/.exec(reply)?.[1]
        if (status === "200") resume(Effect.succeed(body))
        else fail(`the server answered ${status ?? "no status"}`)
      } else if (reply.length > maxReplyBytes) {
        fail("the reply is too long")
      }
    })
    socket.on("error", (error) => fail(error.message))
    socket.on("close", () => fail("the server closed the connection"))
    return Effect.sync(() => socket.destroy())
  }).pipe(
    Effect.timeoutOrElse({
      duration: "2 seconds",
      orElse: () => Effect.fail(new DescribeFailed({ detail: "no answer within 2 s" }))
    })
  )
})
