import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type BadConfiguration, problemText } from "../config/BadConfiguration.ts"
import { configurationOf, load, type Origin } from "../config/Load.ts"
import { Settings, settingsOf } from "../config/Settings.ts"
import { Holders } from "../device/v4l2/Holders.ts"
import { Kernel } from "../device/v4l2/Kernel.ts"
import { V4l2Nodes } from "../device/v4l2/V4l2Nodes.ts"
import { Ffmpeg } from "../process/Ffmpeg.ts"
import { makeCameraChecks } from "./CameraChecks.ts"
import { type Check, failure, ok, results, warning } from "./Check.ts"
import { findFolder } from "./Folder.ts"
import { makePortCheck } from "./Ports.ts"
import { makeProgramChecks } from "./Programs.ts"
import { makeResourceChecks } from "./Resources.ts"
import { makeServiceChecks } from "./ServiceChecks.ts"
import { makeUsbChecks } from "./UsbChecks.ts"

const tools = Layer.mergeAll(Ffmpeg.layer, Holders.layer, V4l2Nodes.layer.pipe(Layer.provide(Kernel.layer)))

/**
 * Looks at all that the service needs on this machine, as the user that asks and with the configuration of `from`; where
 * that is refused, the other checks go by the defaults. Nothing is changed but for a trial file in the data folder.
 */
export const examine = Effect.fnUntraced(function* (from: Origin) {
  const loaded = yield* Effect.result(load(from))
  const { configuration } =
    loaded._tag === "Success"
      ? loaded.success
      : { configuration: yield* Effect.orDie(configurationOf(undefined, { file: undefined, environment: {} })) }
  const settings = Layer.effect(Settings, settingsOf(configuration))
  return yield* Effect.gen(function* () {
    const folder = yield* findFolder
    const nodes = yield* V4l2Nodes
    const formatsOf = (path: string) =>
      Effect.match(nodes.probe(path), { onSuccess: ({ formats }) => formats, onFailure: () => [] })
    const checks: ReadonlyArray<Check> = [
      { name: "configuration", look: Effect.succeed(judge(loaded, from)) },
      ...(yield* makeServiceChecks(folder)),
      ...(yield* makeProgramChecks),
      ...(yield* makeCameraChecks(folder)),
      ...(yield* makeUsbChecks(formatsOf)),
      yield* makePortCheck(folder, folder.service === undefined ? [] : [folder.service]),
      ...(yield* makeResourceChecks(folder))
    ]
    return { configuration, folder, results: yield* results(checks) }
  }).pipe(Effect.provide(tools.pipe(Layer.provideMerge(settings))))
})

const judge = (
  loaded:
    | {
        readonly _tag: "Success"
        readonly success: { readonly configuration: { readonly warnings: ReadonlyArray<string> } }
      }
    | { readonly _tag: "Failure"; readonly failure: BadConfiguration },
  { file }: Origin
) => {
  const from = file ?? "no file"
  if (loaded._tag === "Failure") {
    const lines = [...loaded.failure.problems.map(problemText), "the other checks go by the defaults"]
    return failure(lines.join("\n"), `put them right, then: camera-service config check ${file ?? ""}`.trim())
  }
  const { warnings } = loaded.success.configuration
  return warnings.length === 0
    ? ok(`${from}: good`)
    : warning(warnings.join("\n"), "unset them, or write them as they are meant")
}
