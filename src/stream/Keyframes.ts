import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Moment } from "../ground/Time.ts"
import { jpegSize } from "../media/Jpeg.ts"
import type { Keyframe } from "../media/Keyframes.ts"
import { Ffmpeg, FfmpegFailed } from "../process/Ffmpeg.ts"
import { keyframeArguments } from "../source/FfmpegArguments.ts"
import type { Picture, Still } from "./Pictures.ts"

/** A keyframe of 1080p takes 0.15 s of a core, most of it FFmpeg's start (measured). */
const decodeTime = "5 seconds"

/** Keyframes of streams that are passed on as they come: each is made a picture once, and only where somebody wants it. */
export class Keyframes extends Context.Service<
  Keyframes,
  {
    /** of a keyframe that came then; `before`: the one before it; `quality`: of the JPEG, 1 to 100 */
    readonly still: (keyframe: Keyframe, captured: Moment, before: Still | undefined, quality: number) => Still
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
        const options = { work: "picture", stdin: bytes, timeout: decodeTime } as const
        const output = yield* ffmpeg.run(keyframeArguments(codec, quality), options)
        const jpeg = Buffer.from(output.buffer, output.byteOffset, output.byteLength)
        const size = jpegSize(jpeg)
        if (size === undefined) return yield* new FfmpegFailed({ detail: "the keyframe could not be decoded" })
        return { jpeg, ...size, captured }
      })

      const still: Keyframes["Service"]["still"] = (keyframe, captured, before, quality) => {
        const interval = before === undefined ? undefined : captured.monotonic - before.captured.monotonic
        const about = interval === undefined ? {} : { keyframeInterval: Math.round(interval) }
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

      return Keyframes.of({ still })
    })
  )
}
