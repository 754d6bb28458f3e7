import * as Effect from "effect/Effect"
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http"

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

interface Options {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

/** One request over loopback; the path goes out as it is, dots and all. */
export const ask = (port: number, path: string, { method = "GET", headers = {}, body }: Options = {}) =>
  Effect.callback<Answer, Error>((resume) => {
    const asked = request(
      { host: "127.0.0.1", port, path, method, headers, agent: false },
      (response: IncomingMessage) => {
        const chunks: Array<Buffer> = []
        response.on("data", (chunk: Buffer) => chunks.push(chunk))
        response.on("error", (error) => resume(Effect.fail(error)))
        response.on("end", () =>
          resume(
            Effect.succeed({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks).toString()
            })
          )
        )
      }
    )
    asked.on("error", (error) => resume(Effect.fail(error)))
    asked.end(body)
  })
