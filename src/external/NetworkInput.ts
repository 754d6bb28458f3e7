import * as Effect from "effect/Effect"
import type { StreamedInput } from "../device/Input.ts"
import { RtspFailed } from "../rtsp/RtspFailed.ts"
import type { RtspTarget } from "../rtsp/Target.ts"
import type { AddressRefused } from "./Reach.ts"

/** The frames of a camera in the network, from wherever its name leads when they are wanted. */
export const networkInput = (
  text: string,
  target: Effect.Effect<RtspTarget, RtspFailed | AddressRefused>
): StreamedInput => ({
  name: "network",
  address: text,
  node: undefined,
  rtsp: Effect.catchTag(target, "AddressRefused", (refused) => Effect.fail(asFailure(refused)))
})

/** A name that led to a camera once may lead elsewhere later. */
export const asFailure = ({ why }: AddressRefused): RtspFailed =>
  new RtspFailed({ kind: "UNREACHABLE", detail: `cameras may not be there: it is ${why}` })
