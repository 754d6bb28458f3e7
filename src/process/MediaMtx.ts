import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as SubscriptionRef from "effect/SubscriptionRef"
import { authority } from "../config/Hosts.ts"
import { Settings } from "../config/Settings.ts"
import { PortInUse, ProgramMissing, type ProgramUnfit } from "../config/StartupErrors.ts"
import { type Facts, makeFacts } from "../facts/Facts.ts"
import { Disk } from "../ground/Disk.ts"
import { Loopback } from "../ground/Loopback.ts"
import { Machine } from "../ground/Machine.ts"
import { monotonicMillis } from "../ground/Time.ts"
import { Served } from "../self/Served.ts"
import { startChild } from "./Child.ts"
import { MediaMtxApi } from "./MediaMtxApi.ts"
import { MediaMtxCertificate } from "./MediaMtxCertificate.ts"
import { writeMediaMtxConfig } from "./MediaMtxConfig.ts"
import { bindError, endOf } from "./MediaMtxEnd.ts"
import { hear } from "./MediaMtxHearing.ts"
import { MediaMtxKey } from "./MediaMtxKey.ts"
import type { SaidLately } from "./MediaMtxLog.ts"
import { makeStates, type MediaMtxState } from "./MediaMtxStates.ts"
import { mediaMtxHint, requireVersion, requireVersionOfBinary } from "./MediaMtxVersion.ts"
import { awaitChange, awaitLateness, awaitLoss, awaitOperators, poll } from "./MediaMtxWatch.ts"
import type { RecorderFailed } from "./RecorderFailure.ts"
import { makeEndLog } from "../telemetry/EndLog.ts"

/** It ended or stopped answering. `steady`: after a good while, so the next start need not wait. */
class MediaMtxEnded extends Schema.TaggedError<MediaMtxEnded>()("MediaMtxEnded", {
  detail: Schema.String,
  steady: Schema.Boolean,
  portInUse: Schema.optionalKey(PortInUse)
}) {}

const steadyAfter = Duration.toMillis("10 seconds")
const portTries = 3
/** One that cannot run has ended by then, as a rule. */
const endsWithin = Duration.seconds(1)

const backoff = Schedule.min([Schedule.exponential("100 millis", 2), Schedule.spaced("1500 millis")]).pipe(
  Schedule.jittered
)

/** One that another program has taken the place of may come back at once, or after hours. */
const seldom = Schedule.min([Schedule.exponential("100 millis", 2), Schedule.spaced("30 seconds")])

const describe = (error: PortInUse | ProgramMissing | ProgramUnfit) =>
  error._tag === "PortInUse" ? `${authority(error.host, error.port)} is in use` : error.message

/** MediaMTX: our child (`mediamtx.managed`), kept running, or the operator's, watched. */
export class MediaMtx extends Context.Service<
  MediaMtx,
  {
    /** how it is now; who follows it hears of each change */
    readonly state: SubscriptionRef.SubscriptionRef<MediaMtxState>
    /** Whether its process works, or waits for a CPU to; false where it is not our child. */
    readonly works: Effect.Effect<boolean>
    /** What it says of recordings that it could not write; nothing where it is not our child. */
    readonly facts: Facts<RecorderFailed>
    /** Fails when it can't ever run here, and never has: for the main program to end on. */
    readonly fatal: Effect.Effect<never, PortInUse | ProgramMissing | ProgramUnfit>
  }
>()("camera-service/process/MediaMtx") {
  static readonly layer = Layer.effect(
    MediaMtx,
    Effect.gen(function* () {
      const spawner = yield* ChildProcessSpawner
      const api = yield* MediaMtxApi
      const key = yield* MediaMtxKey
      const certificate = yield* MediaMtxCertificate
      const disk = yield* Disk
      const loopback = yield* Loopback
      const machine = yield* Machine
      const settings = yield* Settings
      const served = yield* Served
      const { binary, managed, memory_megabytes } = settings.boot.mediamtx
      const states = yield* makeStates(
        managed ? undefined : `no answer yet from the API on 127.0.0.1:${settings.boot.mediamtx.api_port}`
      )
      const { goesOn, hasRun, hindered, running, silent, starting, stopped } = states
      const ends = makeEndLog(
        (detail) => Effect.annotateLogs(Effect.logWarning("MediaMTX ended"), { detail }),
        "1 minute"
      )
      const saidLately: SaidLately = new Map()
      const facts = yield* makeFacts<RecorderFailed>()
      const fatal = yield* Deferred.make<never, PortInUse | ProgramMissing | ProgramUnfit>()
      let failedStarts = 0
      let pid: number | undefined
      const works = Effect.suspend(() => (pid === undefined ? Effect.succeed(false) : machine.works(pid)))

      /** Fails when the API does not answer any more, or another run of MediaMTX does. */
      const watch = (started: string) =>
        Effect.flatMap(
          awaitLoss(api, { started, isOurs: managed, works, told: silent }),
          (detail) => new MediaMtxEnded({ detail, steady: true })
        )

      /** Fails when its configuration is not what we started it with. */
      const guard = Effect.flatMap(
        awaitChange(api),
        () => new MediaMtxEnded({ detail: "its configuration was changed", steady: true })
      )

      const writeConfig = Effect.mapError(
        Effect.gen(function* () {
          const { file, follow } = yield* certificate.hand
          return { ...(yield* writeMediaMtxConfig(disk, settings, key.asker(), file)), followCertificate: follow }
        }),
        ({ cause }) => new MediaMtxEnded({ detail: `its configuration could not be written: ${cause}`, steady: false })
      )

      const runOnce = Effect.fnUntraced(
        function* () {
          yield* starting
          yield* key.renew
          const config = yield* writeConfig
          const child = yield* startChild(spawner, {
            program: binary,
            args: [config.path],
            stdout: "pipe",
            // Segments are named by its local time. Go's soft limit is far above what it needs (measured, RSS at 8 Mbit/s: 66 MB
            // with 50 viewers, 93 with 200); one that it cannot meet (24 MB with 50) costs half as much of a processor again.
            env: { TZ: "UTC", GOMEMLIMIT: `${memory_megabytes}MiB` }
          }).pipe(
            // a limit of the service is no flaw of MediaMTX, and may have room in a moment
            Effect.catchTag("NotStarted", ({ message }) => new MediaMtxEnded({ detail: message, steady: false }))
          )
          pid = child.pid
          yield* Effect.forkScoped(Effect.delay(goesOn, endsWithin))
          const { deafness, lastWords } = yield* hear(child.stdout, saidLately, facts.tell)
          let since: number | undefined
          const isSteady = Effect.map(monotonicMillis, (now) => since !== undefined && now - since >= steadyAfter)

          const ended = Effect.gen(function* () {
            const exit = yield* child.exit
            if (exit.missing) return yield* new ProgramMissing({ program: binary, hint: mediaMtxHint })
            const steady = yield* isSteady
            const detail = endOf(exit, yield* lastWords, since === undefined)
            const portInUse = bindError(detail)
            if (since === undefined && portInUse === undefined) yield* requireVersionOfBinary(spawner, binary)
            return yield* new MediaMtxEnded({ detail, steady, ...(portInUse ? { portInUse } : {}) })
          })
          const living = Effect.gen(function* () {
            yield* key.awaitAnswers
            // Another program may listen on our port while ours is about to find that port taken: it gets no key to see.
            const port = { host: "127.0.0.1", port: settings.boot.mediamtx.api_port }
            const has = poll(Effect.filterOrFail(loopback.has(child.pid, port), (isOurs) => isOurs === true))
            const late = Effect.flatMap(awaitLateness(works), (detail) => new MediaMtxEnded({ detail, steady: false }))
            const { started, version } = yield* Effect.raceFirst(Effect.andThen(has, poll(api.info)), late)
            yield* requireVersion(binary, version)
            // It is read once; removed now, nothing is left behind even when we are killed.
            yield* Effect.ignore(disk.removeAll(config.folder))
            yield* Effect.forkScoped(config.followCertificate)
            since = yield* monotonicMillis
            yield* running
            yield* Effect.logInfo("MediaMTX is running").pipe(Effect.annotateLogs({ pid: child.pid, version }))
            return yield* Effect.raceFirst(watch(started), guard)
          })
          const deafened = Effect.gen(function* () {
            return yield* new MediaMtxEnded({ detail: yield* deafness, steady: yield* isSteady })
          })
          return yield* Effect.raceFirst(Effect.raceFirst(ended, deafened), living)
        },
        (effect) => Effect.scoped(effect)
      )

      const unreachable = (detail: string) =>
        Effect.andThen(
          stopped(`its API on 127.0.0.1:${settings.boot.mediamtx.api_port}: ${detail}`),
          Effect.logWarning("MediaMTX, which the operator runs, is not to be reached", {
            detail,
            settings: "mediamtx.api_port; MediaMTX's own api, apiAddress and authHTTPAddress"
          })
        )

      const watchOnce = Effect.fnUntraced(function* () {
        yield* starting
        yield* key.awaitAnswers
        const { started, version } = yield* awaitOperators(api, unreachable)
        yield* requireVersion(binary, version)
        yield* running
        yield* Effect.logInfo("MediaMTX, run by the operator, answers").pipe(Effect.annotateLogs({ version }))
        return yield* watch(started)
      })

      const failed = Effect.fnUntraced(function* (end: MediaMtxEnded) {
        yield* stopped(yield* ends.ended(end))
        failedStarts++
        if (end.portInUse && failedStarts >= portTries && !(yield* hasRun)) return yield* end.portInUse
        return yield* end
      })

      const run = (managed ? runOnce() : watchOnce()).pipe(
        Effect.tapErrorTag(["ProgramMissing", "ProgramUnfit"], ({ message }) => hindered(message)),
        Effect.retry({ schedule: seldom, while: (end) => (end._tag === "MediaMtxEnded" ? false : hasRun) }),
        Effect.catchTag("MediaMtxEnded", failed),
        Effect.retry({ schedule: backoff, while: (end) => end._tag === "MediaMtxEnded" && !end.steady }),
        Effect.catchTag("MediaMtxEnded", () => Effect.void),
        Effect.forever,
        Effect.tapError((error) => stopped(describe(error))),
        // Defects too: a supervisor that died in silence would be worse than the end of the service.
        Effect.catchCause((cause) => Deferred.failCause(fatal, cause))
      )
      yield* Effect.forkScoped(Effect.andThen(served.await, run))

      return { state: states.state, works, facts, fatal: Deferred.await(fatal) }
    })
  )
}
