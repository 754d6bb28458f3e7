import * as Effect from "effect/Effect"
import { request as requestPlain } from "node:http"
import { request as requestTls } from "node:https"
import { type JsonReply, NoReply } from "./Loopback.ts"

/** A document that we ask for is small. */
const maxBytes = 1 << 20

/** `Network.getJson` */
export const getJson = (url: URL): Effect.Effect<JsonReply, NoReply> =>
  Effect.callback((resume) => {
    const fail = (detail: string) => resume(Effect.fail(new NoReply({ detail })))
    const request = url.protocol === "https:" ? requestTls : requestPlain
    // a connection of its own: it is asked for minutes apart
    const asking = request(url, { agent: false, headers: { accept: "application/json" } }, (response) => {
      const chunks: Array<Buffer> = []
      let length = 0
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk)
        length += chunk.length
        if (length > maxBytes) response.destroy(new Error("the reply is too large"))
      })
      response.on("error", (error) => fail(error.message))
      response.on("end", () => {
        try {
          const body: unknown = JSON.parse(Buffer.concat(chunks).toString())
          resume(Effect.succeed({ status: response.statusCode ?? 0, body }))
        } catch {
          resume(Effect.succeed({ status: response.statusCode ?? 0, body: undefined }))
        }
      })
    })
    asking.on("error", (error) => fail(error.message))
    asking.end()
    return Effect.sync(() => asking.destroy())
  })
