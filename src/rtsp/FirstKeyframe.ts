import * as Effect from "effect/Effect"
import type { Tcp } from "../ground/Tcp.ts"
import { keyframesOf } from "../media/Keyframes.ts"
import { parameterSetsOf } from "../media/Sdp.ts"
import { readTransport } from "../media/TransportStream.ts"
import { dial } from "./Dialogue.ts"
import { makeKeyframeEar } from "./KeyframeEar.ts"
import { RtspFailed } from "./RtspFailed.ts"
import { describe, play, worthHaving } from "./Session.ts"
import type { RtspTarget } from "./Target.ts"

/** Has a camera play its video, on a connection of its own, until it has sent a whole keyframe, however long that takes. */
export const firstKeyframe = Effect.fn("Rtsp.firstKeyframe")(function* (tcp: Tcp["Service"], target: RtspTarget) {
  const ear = makeKeyframeEar()
  const dialogue = yield* dial(tcp, target, ear)
  const offer = yield* describe(dialogue, target)
  const [video] = yield* worthHaving(offer)
  if (video === undefined) return yield* Effect.die(new Error("nothing is worth having"))
  const take = video.encoding === "mp2t" ? readTransport().take : keyframesOf(video.encoding, parameterSetsOf(video))
  if (take === undefined) {
    return yield* new RtspFailed({ kind: "NO_VIDEO", detail: `no pictures are made of its video (${video.encoding})` })
  }
  yield* play(dialogue, offer, [video], ([track]) =>
    Effect.sync(() => {
      if (track !== undefined) ear.listen(track.channel, take)
    })
  )
  return yield* Effect.raceFirst(ear.first, dialogue.ended)
}, Effect.scoped)
