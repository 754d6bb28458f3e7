import * as Effect from "effect/Effect"
import { request as requestPlain } from "node:http"
import type * as https from "node:https"
import { hear, type JsonReply, type NoReply, noReply } from "./Loopback.ts"

/** A document that we ask for is small. */
const maxBytes = 1 << 20

const plain: Pick<typeof https, "request"> = { request: requestPlain }

/** `Network.getJson`. TLS takes 10 ms to load, which few need. */
export const getJson = (url: URL): Effect.Effect<JsonReply, NoReply> =>
  Effect.flatMap(
    url.protocol === "https:" ? Effect.promise(() => import("node:https")) : Effect.succeed(plain),
    ({ request }) =>
      Effect.callback((resume) => {
        // a connection of its own: it is asked for minutes apart
        const asking = request(url, { agent: false, headers: { accept: "application/json" } }, (response) =>
          hear(response, maxBytes, resume)
        )
        asking.on("error", (cause) => resume(Effect.fail(noReply(cause))))
        asking.end()
        return Effect.sync(() => asking.destroy())
      })
  )
