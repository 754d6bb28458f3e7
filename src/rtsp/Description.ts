import * as Effect from "effect/Effect"
import type { Tcp } from "../ground/Tcp.ts"
import { dial } from "./Dialogue.ts"
import type { RtspTarget } from "./Target.ts"

/** A stream's SDP as its server gives it (RFC 2326, 10.2). Nothing is set up or played, so who asks counts as no reader. */
export const descriptionOf = Effect.fn("Rtsp.description")(function* (tcp: Tcp["Service"], target: RtspTarget) {
  const { ask } = yield* dial(tcp, target, { frame: () => false, frames: () => undefined })
  const { body } = yield* ask("DESCRIBE", target.url, { Accept: "application/sdp" })
  return body
}, Effect.scoped)
