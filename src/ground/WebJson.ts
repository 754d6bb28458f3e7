import * as Effect from "effect/Effect"
import { request as requestPlain } from "node:http"
import { request as requestTls } from "node:https"
import { hear, type JsonReply, type NoReply, noReply } from "./Loopback.ts"

/** A document that we ask for is small. */
const maxBytes = 1 << 20

/** `Network.getJson` */
export const getJson = (url: URL): Effect.Effect<JsonReply, NoReply> =>
  Effect.callback((resume) => {
    const request = url.protocol === "https:" ? requestTls : requestPlain
    // a connection of its own: it is asked for minutes apart
    const asking = request(url, { agent: false, headers: { accept: "application/json" } }, (response) =>
      hear(response, maxBytes, resume)
    )
    asking.on("error", (cause) => resume(Effect.fail(noReply(cause))))
    asking.end()
    return Effect.sync(() => asking.destroy())
  })
