import * as Effect from "effect/Effect"
import { type IncomingMessage, request as requestPlain } from "node:http"
import type * as https from "node:https"
import { type NoReply, noReply } from "./Loopback.ts"

/** One HTTP request to exactly this address, on a connection of its own. */
export interface WebRequest {
  /** an IP literal: no name is looked up */
  readonly address: string
  readonly port: number
  /** over TLS, whatever certificate is shown */
  readonly isSecure: boolean
  readonly method: "GET" | "POST"
  /** path and query */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** a longer reply is none */
  readonly maxBytes: number
}

export interface WebReply {
  readonly status: number
  readonly contentType: string
  /** each `WWW-Authenticate` */
  readonly challenges: ReadonlyArray<string>
  readonly body: Uint8Array
}

/** `Network.exchange` */
export const exchange = (asked: WebRequest): Effect.Effect<WebReply, NoReply> =>
  Effect.flatMap(asked.isSecure ? Effect.promise(() => import("node:https")) : Effect.succeed(plain), ({ request }) =>
    Effect.callback((resume) => {
      const { address, body, headers, method, port, target } = asked
      const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) }
      try {
        const asking = request({
          host: address,
          port,
          method,
          path: target,
          headers: { ...headers, ...length },
          // a connection of its own
          agent: false,
          // cameras sign their certificates themselves: who asks shows nothing that others may not see
          rejectUnauthorized: false
        })
        asking.on("response", (response) => hear(response, asked.maxBytes, resume))
        asking.on("error", (cause) => resume(Effect.fail(noReply(cause))))
        asking.end(body)
        return Effect.sync(() => asking.destroy())
      } catch (cause) {
        // Node sends no header with characters beyond Latin-1, and a user's name may have some
        return resume(Effect.fail(noReply(cause instanceof Error ? cause : new Error(String(cause)))))
      }
    })
  )

const plain: Pick<typeof https, "request"> = { request: requestPlain }

const hear = (
  response: IncomingMessage,
  maxBytes: number,
  end: (outcome: Effect.Effect<WebReply, NoReply>) => void
): void => {
  const chunks: Array<Buffer> = []
  let length = 0
  response.on("data", (chunk: Buffer) => {
    chunks.push(chunk)
    length += chunk.length
    if (length > maxBytes) response.destroy(new Error("the reply is too large"))
  })
  response.on("error", (cause) => end(Effect.fail(noReply(cause))))
  response.on("end", () =>
    end(
      Effect.succeed({
        status: response.statusCode ?? 0,
        contentType: response.headers["content-type"] ?? "",
        challenges: response.headersDistinct["www-authenticate"] ?? [],
        body: Buffer.concat(chunks)
      })
    )
  )
}
