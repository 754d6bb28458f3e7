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

/**
 * Keyframes of streams that are passed on as they come: each is made a picture once, and only where somebody wants it, by an
 * FFmpeg that sees nothing else. For 30 s after one the next FFmpeg stands by, for whichever camera. What that takes in ms
 * (measured; 1080p, keyframes of 50 and 140 KB in H.264, of 40 and 90 KB in H.265): 24 and 38, 28 and 47, and 62 more where
 * none stands by; the one that does occupies 45 MB, 9 of them its own. One that goes on decoding would take 14 and 28, 18 and
 * 30, and 80 to 100 MB for each camera; but in a stream with B-frames it shows a keyframe when the next ones come. To make a
 * picture of each keyframe beforehand would take 0.1 s of a core for each.
 */
export class Keyframes extends Context.Service<
  Keyframes,
  {
    /** of a keyframe that came then; `interval`: milliseconds between two of them; `quality`: of the JPEG, 1 to 100 */
    readonly still: (keyframe: Keyframe, captured: Moment, interval: number | undefined, quality: number) => Still
    /** a still of this codec will be wanted in a moment */
    readonly prepare: (codec: string, quality: number) => Effect.Effect<void>
  }
>()("camera-service/stream/Keyframes") {
  static readonly layer = Layer.effect(
    Keyframes,
    Effect.gen(function* () {
      const ffmpeg = yield* Ffmpeg
      const scope = yield* Effect.scope

      const decode = Effect.fn("Keyframes.decode")(function* (
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

      const still: Keyframes["Service"]["still"] = (keyframe, captured, interval, quality) => {
        const about = interval === undefined ? {} : { keyframeInterval: interval }
        let shared: Deferred.Deferred<Picture, FfmpegFailed> | undefined
        // nobody's own: who gives up takes the picture from nobody else
        const picture = Effect.suspend(() => {
          if (shared !== undefined) return Deferred.await(shared)
          shared = Deferred.makeUnsafe()
          const decoding = Deferred.into(
            Effect.map(decode(keyframe, captured, quality), (picture) => ({ ...picture, ...about })),
            shared
          )
          return Effect.andThen(Effect.forkIn(decoding, scope), Deferred.await(shared))
        })
        return { captured, picture }
      }

      const prepare: Keyframes["Service"]["prepare"] = (codec, quality) =>
        codec === "h264" || codec === "h265" ? ffmpeg.preparePicture(keyframeArguments(codec, quality)) : Effect.void

      return Keyframes.of({ prepare, still })
    })
  )
}
