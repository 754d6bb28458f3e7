import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Moment } from "../ground/Time.ts"
import { jpegSize } from "../media/Jpeg.ts"
import { betweenKeyframes, type Keyframe, parameterSetsIn } from "../media/Keyframes.ts"
import { Ffmpeg } from "../process/Ffmpeg.ts"
import { FfmpegFailed } from "../process/FfmpegFailed.ts"
import { keyframeArguments } from "../source/FfmpegArguments.ts"
import type { Picture, Still } from "./Pictures.ts"

const decodeTime = "5 seconds"

/** Of a keyframe that came then; `interval`: milliseconds between two of them; `quality`: of the JPEG, 1 to 100. */
type StillOf = (keyframe: Keyframe, captured: Moment, interval: number | undefined, quality: number) => Still

/**
 * Keyframes of streams that are passed on as they come: each is made a picture once, where somebody wants it, by an FFmpeg
 * that sees nothing of any other stream. For 2 min after one the next FFmpeg stands by, for whichever camera; and for a
 * stream of which two are wanted one after the other another one, which has made the last beforehand. What that takes in ms
 * (measured; 1080p, keyframes of 75 and 103 KB in H.264, of 32 KB in H.265): by the first 28 and 31, 29; by the second 23 and
 * 26, 24; and 62 more where none stands by. The first occupies 45 MB, 9 of them its own, and the second 80 to 100 MB: there
 * is one of it, and none where a stream's decoder holds a picture back until the next ones come (B-frames). Who takes pictures
 * of a camera often does so at regular times: of the keyframe that is expected to be wanted, and the one to each side of it,
 * the picture is made as it comes, one at a time, and is at hand; it takes 0.1 s of a core.
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

      let streams = 0

      const decode = Effect.fn("KeyframeStills.decode")(function* (
        stream: number,
        { bytes, codec }: Keyframe,
        captured: Moment,
        quality: number
      ) {
        const practice = {
          // a decoder that one camera's keyframe has broken into gets no other camera's
          kind: `${stream} ${parameterSetsIn(codec, bytes)}`,
          args: keyframeArguments(codec, quality, 2),
          input: () => Buffer.concat([bytes, betweenKeyframes[codec]])
        }
        const args = keyframeArguments(codec, quality, 1)
        const output = yield* ffmpeg.picture(args, { stdin: bytes, timeout: decodeTime, practice })
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
        const stream = ++streams
        let count = 0
        /** which one was wanted last, and which one will be if those who want them keep their time; NaN: not known */
        let wanted = Number.NaN
        let expected = Number.NaN
        return (keyframe, captured, interval, quality) => {
          const number = ++count
          const about = interval === undefined ? {} : { keyframeInterval: interval }
          const made = once(
            Effect.map(decode(stream, keyframe, captured, quality), (picture) => ({ ...picture, ...about }))
          )
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
        codec === "h264" || codec === "h265" ? ffmpeg.preparePicture(keyframeArguments(codec, quality, 1)) : Effect.void

      return KeyframeStills.of({ prepare, stills })
    })
  )
}
