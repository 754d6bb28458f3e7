import * as Effect from "effect/Effect"
import type { StreamedInput } from "../device/Input.ts"
import { RtspFailed } from "../rtsp/RtspFailed.ts"
import type { RtspTarget } from "../rtsp/Target.ts"
import type { AddressRefused } from "./Reach.ts"

/** What a camera gives beside its stream (ONVIF). */
interface Extras {
  /** a picture of now */
  readonly still: Effect.Effect<Buffer, RtspFailed | AddressRefused>
  /** has it send a keyframe */
  readonly keyframe: Effect.Effect<void, RtspFailed | AddressRefused>
}

/** The frames of a camera in the network, from wherever its name leads when they are wanted. */
export const networkInput = (
  text: string,
  target: Effect.Effect<RtspTarget, RtspFailed | AddressRefused>,
  extras: Extras | undefined
): StreamedInput => ({
  feed: "relayed",
  name: "network",
  address: text,
  node: undefined,
  hasTranscode: true,
  mayHaveKlv: true,
  rtsp: allowed(target),
  ...(extras === undefined ? {} : { still: allowed(extras.still), keyframe: allowed(extras.keyframe) })
})

const allowed = <A>(had: Effect.Effect<A, RtspFailed | AddressRefused>): Effect.Effect<A, RtspFailed> =>
  Effect.catchTag(had, "AddressRefused", (refused) => Effect.fail(asFailure(refused)))

/** A name that led to a camera once may lead elsewhere later. */
export const asFailure = ({ why }: AddressRefused): RtspFailed =>
  new RtspFailed({ kind: "UNREACHABLE", detail: `cameras may not be there: it is ${why}` })
