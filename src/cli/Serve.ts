import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as App from "../App.ts"
import { load } from "../config/Load.ts"
import { Settings } from "../config/Settings.ts"
import { version } from "../config/Version.ts"
import { Ffmpeg } from "../process/Ffmpeg.ts"
import { MediaMtx } from "../process/MediaMtx.ts"
import { raisePriority } from "../self/Priority.ts"
import { DataFolder, standardFolders, StandardFolders } from "../storage/DataFolder.ts"
import * as Logs from "../telemetry/Logs.ts"
import * as Traces from "../telemetry/Traces.ts"

/** Runs the service until it is interrupted, or something that it needs turns out to be missing. */
export const serve = Effect.fnUntraced(function* (
  file: string | undefined,
  environment: Readonly<Record<string, string | undefined>>
) {
  const began = yield* Clock.currentTimeMillis
  yield* raisePriority
  const { settings } = yield* load({ file, environment })
  const context = Layer.mergeAll(
    Layer.succeed(Settings, settings),
    Layer.succeed(StandardFolders, standardFolders(environment["XDG_STATE_HOME"]))
  )
  const service = Effect.gen(function* () {
    const built = yield* Layer.build(App.layer.pipe(Layer.provide(App.spawner)))
    const startedIn = (yield* Clock.currentTimeMillis) - began
    yield* Effect.logInfo("camera-service is serving", {
      version,
      url: `ws://${settings.server.host}:${settings.server.port}/ws`,
      health: `http://${settings.health.host}:${settings.health.port}/health`,
      data: Context.get(built, DataFolder).root,
      started_in_ms: startedIn
    })
    const missing = Effect.andThen(Context.get(built, Ffmpeg).check, Effect.never)
    return yield* Effect.raceFirst(Context.get(built, MediaMtx).fatal, missing)
  })
  // telemetry is provided last: it sees all that is above, and is the last to end
  return yield* Effect.scoped(service).pipe(
    Effect.provide(Layer.mergeAll(Logs.layer, Traces.layer).pipe(Layer.provideMerge(context)))
  )
})
