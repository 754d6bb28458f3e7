import * as Effect from "effect/Effect"
import type { StreamedInput } from "../device/Input.ts"
import { RtspFailed } from "../rtsp/RtspFailed.ts"
import type { RtspTarget } from "../rtsp/Target.ts"
import type { AddressRefused } from "./Reach.ts"

/** The frames of a camera in the network, from wherever its name leads when they are wanted, and its pictures, if it has any. */
export const networkInput = (
  text: string,
  target: Effect.Effect<RtspTarget, RtspFailed | AddressRefused>,
  still: Effect.Effect<Buffer, RtspFailed | AddressRefused> | undefined
): StreamedInput => ({
  feed: "relayed",
  name: "network",
  address: text,
  node: undefined,
  hasTranscode: true,
  mayHaveKlv: true,
  rtsp: allowed(target),
  ...(still === undefined ? {} : { still: allowed(still) })
})

const allowed = <A>(had: Effect.Effect<A, RtspFailed | AddressRefused>): Effect.Effect<A, RtspFailed> =>
  Effect.catchTag(had, "AddressRefused", (refused) => Effect.fail(asFailure(refused)))

/** A name that led to a camera once may lead elsewhere later. */
export const asFailure = ({ why }: AddressRefused): RtspFailed =>
  new RtspFailed({ kind: "UNREACHABLE", detail: `cameras may not be there: it is ${why}` })
