import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { homedir } from "node:os"
import * as App from "../App.ts"
import { urlAuthority } from "../config/Hosts.ts"
import { load } from "../config/Load.ts"
import { Settings } from "../config/Settings.ts"
import { version } from "../config/Version.ts"
import { millisSince, now } from "../ground/Time.ts"
import { Ffmpeg } from "../process/Ffmpeg.ts"
import { MediaMtx } from "../process/MediaMtx.ts"
import { raisePriority } from "../self/Priority.ts"
import { DataFolder, standardFolders, StandardFolders } from "../storage/DataFolder.ts"
import * as Logs from "../telemetry/Logs.ts"
import * as Traces from "../telemetry/Traces.ts"

/**
 * Runs the service until it is interrupted, or something that it needs turns out to be missing. `ending` is told as soon as
 * that is so: what was started has yet to be ended then.
 */
export const serve = Effect.fnUntraced(function* (
  file: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
  ending: (exit: Exit.Exit<never, unknown>) => void
) {
  const began = yield* now
  yield* raisePriority
  const { settings, warnings } = yield* load({ file, environment })
  const context = Layer.mergeAll(
    Layer.succeed(Settings, settings),
    Layer.succeed(StandardFolders, standardFolders(homedir(), environment["XDG_STATE_HOME"]))
  )
  const service = Effect.gen(function* () {
    for (const warning of warnings) yield* Effect.logWarning(warning)
    const built = yield* Layer.build(App.layer)
    const startedIn = Math.round(yield* millisSince(began))
    const { health, server } = settings.boot
    yield* Effect.logInfo("camera-service is serving", {
      version,
      url: `ws://${urlAuthority(server.host, server.port)}/ws`,
      health: `http://${urlAuthority(health.host, health.port)}/health`,
      data: Context.get(built, DataFolder).root,
      started_in_ms: startedIn
    })
    const missing = Effect.andThen(Context.get(built, Ffmpeg).check, Effect.never)
    return yield* Effect.raceFirst(Context.get(built, MediaMtx).fatal, missing)
  }).pipe(Effect.onExit((exit) => Effect.sync(() => ending(exit))))
  // telemetry is provided last: it sees all that is above, and is the last to end
  return yield* Effect.scoped(service).pipe(
    Effect.provide(Layer.mergeAll(Logs.layer, Traces.layer).pipe(Layer.provideMerge(context)))
  )
})
