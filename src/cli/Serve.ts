import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { homedir } from "node:os"
import { join } from "node:path"
import * as App from "../App.ts"
import { urlAuthority } from "../config/Hosts.ts"
import { load, type Origin } from "../config/Load.ts"
import { followFile } from "../config/Reload.ts"
import { Settings, settingsOf } from "../config/Settings.ts"
import { isSecured } from "../config/Tls.ts"
import { version } from "../config/Version.ts"
import type { Loopback } from "../ground/Loopback.ts"
import { connectManager, type ServiceManager } from "../ground/ServiceManager.ts"
import { millisSince, now } from "../ground/Time.ts"
import { ConsoleFolder } from "../http/ConsoleFiles.ts"
import { Ffmpeg } from "../process/Ffmpeg.ts"
import { MediaMtx } from "../process/MediaMtx.ts"
import * as Memory from "../self/Memory.ts"
import { raisePriority } from "../self/Priority.ts"
import { HeadStart, Served } from "../self/Served.ts"
import { DataFolder, standardFolders, StandardFolders } from "../storage/DataFolder.ts"
import { FileIndex } from "../storage/FileIndex.ts"
import * as Logs from "../telemetry/Logs.ts"
import * as MetricsExport from "../telemetry/MetricsExport.ts"
import * as Traces from "../telemetry/Traces.ts"
import type { Life } from "./Life.ts"
import { keepTold, toldReload } from "./Managed.ts"

/** Beside the bundle; from sources, where the last build has left it. */
const consoleFolder =
  typeof __dirname === "string" ? join(__dirname, "console") : join(import.meta.dirname, "../../dist/console")

/** Measured: 10 to 15 ms to the reply of who tries every 5 ms. */
const headStart = "30 millis"

/**
 * Runs the service until it is interrupted, or something that it needs turns out to be missing. `ending` is told as soon as
 * that is so: what was started has yet to be ended then.
 */
export const serve = Effect.fnUntraced(function* (from: Origin, { copies, ending, hangups, voice }: Life) {
  const began = yield* now
  yield* raisePriority
  const { configuration, text } = yield* load(from)
  const { boot, warnings } = configuration
  voice.follow(boot.telemetry.log_format)
  const settings = yield* settingsOf(configuration)
  const context = Layer.mergeAll(
    Layer.succeed(Settings, settings),
    Layer.succeed(Memory.OwnMemory, Memory.ofThisProcess()),
    Layer.succeed(HeadStart, headStart),
    Layer.succeed(StandardFolders, standardFolders(homedir(), from.environment["XDG_STATE_HOME"])),
    Layer.succeed(ConsoleFolder, consoleFolder)
  )

  /** Changes of the file, as they come and when a SIGHUP says so. */
  const follow = Effect.fnUntraced(function* (manager: ServiceManager | undefined) {
    const { file } = from
    const read =
      file === undefined || text === undefined
        ? Effect.logInfo("SIGHUP: there is no configuration file to read")
        : Effect.andThen(
            Effect.logInfo("SIGHUP: reading the configuration file"),
            yield* followFile({ from: { ...from, file }, configuration, text, settings })
          )
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(Queue.take(hangups), toldReload(manager)(read))))
  })

  let manager: ServiceManager | undefined
  const service = Effect.gen(function* () {
    const ground = yield* Effect.context<Loopback | Settings>()
    for (const warning of warnings) yield* Effect.logWarning(warning)
    // what sends metrics stands on the app, whose own they are
    const built = yield* Layer.build(MetricsExport.layer.pipe(Layer.provideMerge(App.layer)))
    const startedIn = Math.round(yield* millisSince(began))
    const { health, server, tls } = boot
    const [scheme, port] = isSecured(boot) ? ["wss", tls.port] : ["ws", server.port]
    yield* Effect.logInfo("camera-service is serving", {
      version,
      url: `${scheme}://${urlAuthority(server.host, port)}/ws`,
      health: `http://${urlAuthority(health.host, health.port)}/health`,
      data: Context.get(built, DataFolder).root,
      started_in_ms: startedIn
    })
    manager = yield* connectManager(from.environment).pipe(
      Effect.catch((error) => Effect.as(Effect.logWarning(error.message), undefined))
    )
    if (manager !== undefined) yield* Effect.provideContext(keepTold(manager), Context.merge(ground, built))
    yield* follow(manager)
    const copy = Context.get(built, FileIndex).copy.pipe(
      Effect.catch((error) => Effect.logWarning("the index could not be copied for a backup", error))
    )
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(Queue.take(copies), copy)))
    const { await: awaitServed } = Context.get(built, Served)
    const checked = Context.get(built, Ffmpeg).check.pipe(
      // says nothing about FFmpeg
      Effect.catchTag("NotStarted", ({ message }) => Effect.logWarning(message))
    )
    const unfit = awaitServed.pipe(Effect.andThen(checked), Effect.andThen(Effect.never))
    return yield* Effect.raceFirst(Context.get(built, MediaMtx).fatal, unfit)
  }).pipe(
    Effect.onExit((exit) =>
      Effect.suspend(() => {
        ending(exit)
        return manager?.tell("STOPPING=1") ?? Effect.void
      })
    )
  )
  // telemetry is provided last: it sees all that is above, and is the last to end
  return yield* Effect.scoped(service).pipe(
    Effect.provide(Traces.layer.pipe(Layer.provideMerge(Logs.layer), Layer.provideMerge(context)))
  )
})
