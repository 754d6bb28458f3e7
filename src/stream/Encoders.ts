import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { join } from "node:path"
import { liveNow, Settings } from "../config/Settings.ts"
import { KernelFiles } from "../ground/KernelFiles.ts"
import { spsIn } from "../media/Sps.ts"
import { Ffmpeg } from "../process/Ffmpeg.ts"
import { type Encoder, type EncoderChoice, encodingOf, trialArguments } from "../source/Encoder.ts"
import { codecOf } from "./PublishedCodec.ts"

/** For the trials of all that is there. */
const trialTime = Duration.seconds(5)
const libx264: Encoder = { name: "libx264" }

/** The best encoder of this machine: the hardware's, once it has shown that its stream meets the profile. */
export class Encoders extends Context.Service<
  Encoders,
  {
    /** libx264 until the trials are over, and where none went well; `why` tells */
    readonly best: () => EncoderChoice
  }
>()("camera-service/stream/Encoders") {
  static readonly layer = Layer.effect(
    Encoders,
    Effect.gen(function* () {
      const settings = yield* Settings
      const encoding = encodingOf(settings.boot, liveNow(settings))
      const ffmpeg = yield* Ffmpeg
      const files = yield* KernelFiles
      let best: EncoderChoice = { encoder: libx264, why: "this machine's hardware encoders are not known yet" }

      /** Undefined: it does what it should; else what it does not. */
      const fault = (encoder: Encoder, timeout: Duration.Duration) =>
        ffmpeg.run(trialArguments(encoder, encoding), { work: "trial", timeout }).pipe(
          Effect.map((stream) => {
            const nal = spsIn(Buffer.from(stream.buffer, stream.byteOffset, stream.byteLength))
            const codec = nal === undefined ? undefined : codecOf(nal, encoding)
            if (codec === undefined) return "it gave no H.264"
            return codec.conformant ? undefined : `its stream is ${codec.profile} ${codec.level}`
          }),
          // clients are told, who see no path
          Effect.catch(({ detail }) => Effect.succeed(detail.replace(/\/dev\/\S+/g, "its node")))
        )

      const tryAll = Effect.gen(function* () {
        const found = hardwareIn(files)
        const faults: Array<string> = []
        for (const encoder of found) {
          const wrong = yield* fault(encoder, Duration.divideUnsafe(trialTime, found.length))
          if (wrong === undefined) {
            best = { encoder, why: `${encoder.name} of this machine's hardware has passed its trial` }
            return yield* Effect.logInfo("the hardware encodes", encoder)
          }
          faults.push(`${encoder.name}: ${wrong}`)
        }
        if (faults.length > 0) yield* Effect.logWarning("the hardware's encoders are of no use", faults)
        const why =
          faults.length > 0 ? `no hardware encoder works (${faults.join("; ")})` : "there is no hardware encoder"
        best = { encoder: libx264, why }
      }).pipe(Effect.withSpan("Encoders.tryAll"))
      yield* Effect.forkScoped(tryAll)

      return Encoders.of({ best: () => best })
    })
  )
}

/** Drivers name their encoding nodes so: bcm2835-codec-encode, s5p-mfc-enc, mtk-vcodec-enc, qcom-venus-encoder, coda-encoder. */
const encoderName = /(^|[^a-z])enc(ode|oder)?([^a-z]|$)/i

/** What may be able to encode, by the names of its nodes alone: no device is opened for it. */
const hardwareIn = (files: KernelFiles["Service"]) => {
  const nodes = join(files.sys, "class/video4linux")
  const names = files.names(nodes).map((node) => files.text(join(nodes, node, "name")) ?? "")
  const hasEncoder = names.some((name) => encoderName.test(name.trim()))
  const dri = join(files.dev, "dri")
  const renderers = files.names(dri).filter((node) => node.startsWith("renderD"))
  return [
    ...(hasEncoder ? [{ name: "h264_v4l2m2m" } as const] : []),
    ...renderers.sort().map((node) => ({ name: "h264_vaapi", device: join(dri, node) }) as const)
  ]
}
