import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Moment } from "../ground/Time.ts"
import { jpegSize } from "../media/Jpeg.ts"
import type { Keyframe } from "../media/Keyframes.ts"
import { Ffmpeg } from "../process/Ffmpeg.ts"
import { FfmpegFailed } from "../process/FfmpegFailed.ts"
import { keyframeArguments } from "../source/FfmpegArguments.ts"
import type { Picture, Still } from "./Pictures.ts"

const decodeTime = "5 seconds"

/** Of a keyframe that came then; `interval`: milliseconds between two of them; `quality`: of the JPEG, 1 to 100. */
type StillOf = (keyframe: Keyframe, captured: Moment, interval: number | undefined, quality: number) => Still

/**
 * Keyframes of streams that are passed on as they come: each is made a picture once, where somebody wants it, by an FFmpeg
 * that sees nothing else. For 2 min after one the next FFmpeg stands by, for whichever camera. What that takes in ms
 * (measured; 1080p, keyframes of 50 and 140 KB in H.264, of 40 and 90 KB in H.265): 24 and 38, 28 and 47, and 62 more where
 * none stands by; the one that does occupies 45 MB, 9 of them its own. One that goes on decoding would save 4 to 10 ms, and
 * takes 80 to 100 MB for each camera; but in a stream with B-frames it shows a keyframe when the next ones come. Who takes
 * pictures of a camera often does so at regular times: of the keyframe that is expected to be wanted, and the one to each
 * side of it, the picture is made as it comes, one at a time, and is at hand; it takes 0.1 s of a core.
 */
export class KeyframeStills extends Context.Service<
  KeyframeStills,
  {
    /** of one stream's keyframes, in the order in which they come */
    readonly stills: () => StillOf
    /** a still of this codec will be wanted in a moment */
    readonly prepare: (codec: string, quality: number) => Effect.Effect<void>
  }
>()("camera-service/stream/KeyframeStills") {
  static readonly layer = Layer.effect(
    KeyframeStills,
    Effect.gen(function* () {
      const ffmpeg = yield* Ffmpeg
      const scope = yield* Effect.scope
      const run = Effect.runForkWith(yield* Effect.context<never>())

      const decode = Effect.fn("KeyframeStills.decode")(function* (
        { bytes, codec }: Keyframe,
        captured: Moment,
        quality: number
      ) {
        const args = keyframeArguments(codec, quality)
        const output = yield* ffmpeg.picture(args, { stdin: bytes, timeout: decodeTime })
        const jpeg = Buffer.from(output.buffer, output.byteOffset, output.byteLength)
        const size = jpegSize(jpeg)
        if (size === undefined) return yield* new FfmpegFailed({ detail: "the keyframe could not be decoded" })
        return { jpeg, ...size, captured }
      })

      /** Makes it once, when that is asked for first; nobody's own: who gives up takes the picture from nobody else. */
      const once = (decoding: Effect.Effect<Picture, FfmpegFailed>): Effect.Effect<Picture, FfmpegFailed> => {
        let shared: Deferred.Deferred<Picture, FfmpegFailed> | undefined
        return Effect.suspend(() => {
          if (shared !== undefined) return Deferred.await(shared)
          shared = Deferred.makeUnsafe()
          return Effect.andThen(Effect.forkIn(Deferred.into(decoding, shared), scope), Deferred.await(shared))
        })
      }

      let isAhead = false
      const makeAhead = (picture: Effect.Effect<Picture, FfmpegFailed>): void => {
        if (isAhead) return
        isAhead = true
        const making = Effect.ensuring(
          // who wants it is told
          Effect.ignore(picture),
          Effect.sync(() => (isAhead = false))
        )
        run(Effect.forkIn(making, scope))
      }

      const stills: KeyframeStills["Service"]["stills"] = () => {
        let count = 0
        /** which one was wanted last, and which one will be if those who want them keep their time; NaN: not known */
        let wanted = Number.NaN
        let expected = Number.NaN
        return (keyframe, captured, interval, quality) => {
          const number = ++count
          const about = interval === undefined ? {} : { keyframeInterval: interval }
          const made = once(Effect.map(decode(keyframe, captured, quality), (picture) => ({ ...picture, ...about })))
          if (Math.abs(number - expected) <= 1) makeAhead(made)
          const picture = Effect.suspend(() => {
            if (number <= wanted) return made
            expected = number + number - wanted
            wanted = number
            return made
          })
          return { captured, picture }
        }
      }

      const prepare: KeyframeStills["Service"]["prepare"] = (codec, quality) =>
        codec === "h264" || codec === "h265" ? ffmpeg.preparePicture(keyframeArguments(codec, quality)) : Effect.void

      return KeyframeStills.of({ prepare, stills })
    })
  )
}
