import * as Effect from "effect/Effect"
import { MediaMtxKey } from "../../src/process/MediaMtxKey.ts"
import type { Question } from "../../testing/Visitors.ts"

/** A question of MediaMTX's own, on the port for this machine. */
export const asMediaMtx = (body: string) =>
  Effect.map(MediaMtxKey, ({ asker }): Question => {
    const headers = { authorization: `Basic ${btoa(asker())}` }
    return { method: "POST", target: "/mediamtx/auth", headers, body }
  })
