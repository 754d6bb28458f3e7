import { assert, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { residentMegabytes } from "../../scripts/benchmarks/Proc.ts"
import { fractions } from "../../testing/Chance.ts"
import { watchGoodClient } from "../support/GoodClient.ts"
import { connect, type PlainClient } from "../support/PlainClient.ts"
import { signal } from "../support/Processes.ts"
import { orEnded, ready, type Service, startReady, statusOf } from "../support/Service.ts"
import { underAttack } from "./UnderAttack.ts"

const minutes = Number(process.env["ABUSE_MINUTES"] ?? 30)
/** The caches are full after this share of them. */
const warm = 1 / 6
/** All that lingers is gone, and memory is given back. */
const rest = "100 seconds"

/** Megabytes of files that retention keeps. */
const kept = 5

/** So many a minute have to be done: it is some three times as many where the machine has time. */
const leastAMinute = { recordings: 3, pictures: 6, streams: 3, keys: 8 }

/** Between the pieces of a flood: others need this machine too. */
const gently = 250

/** Does something again and again, whatever is answered, until the scope ends. */
const again = (pause: Duration.Input, work: Effect.Effect<unknown>) =>
  Effect.forkScoped(Effect.forever(Effect.andThen(work, Effect.sleep(pause))))

/** How often something was tried, and how often it was done as it should be. */
interface Tally {
  tried: number
  done: number
}

const counted = (tally: Tally, work: Effect.Effect<boolean>) =>
  Effect.map(work, (isDone) => {
    tally.tried++
    if (isDone) tally.done++
  })

interface MadeFile {
  readonly filename?: string
  readonly file_size?: number
  readonly duration?: number
}

/** Takes and deletes pictures, records and deletes, streams, makes and revokes keys: until the scope ends. */
const use = Effect.fnUntraced(function* ({ call }: PlainClient) {
  const none = (): Tally => ({ tried: 0, done: 0 })
  const [recordings, pictures, streams, keys] = [none(), none(), none(), none()]
  const file = (result: unknown): MadeFile => result ?? {}
  yield* again(
    "1 second",
    counted(
      recordings,
      Effect.gen(function* () {
        yield* call("start_recording", { device: "camera0", format: "mkv" })
        yield* Effect.sleep("4 seconds")
        // a recording of several files leaves the others to retention
        const { duration = 0, filename } = file((yield* call("stop_recording", { device: "camera0" })).result)
        const { error } = yield* call("delete_recording", { filename })
        return error === undefined && duration > 2
      })
    )
  )
  yield* again(
    "2 seconds",
    counted(
      pictures,
      Effect.gen(function* () {
        const taken = yield* call("take_snapshot", { device: "camera1", max_age_ms: 0 })
        const { file_size = 0, filename } = file(taken.result)
        const { error } = yield* call("delete_snapshot", { filename })
        return error === undefined && file_size > 0
      })
    )
  )
  yield* again(
    "3 seconds",
    counted(
      streams,
      Effect.gen(function* () {
        const { error } = yield* call("start_streaming", { device: "camera2" })
        yield* Effect.sleep("3 seconds")
        yield* call("stop_streaming", { device: "camera2" })
        return error === undefined
      })
    )
  )
  yield* again(
    "2 seconds",
    counted(
      keys,
      Effect.gen(function* () {
        const { result } = yield* call("create_api_key", { role: "viewer" })
        const { key_id } = (result ?? {}) as { readonly key_id?: string }
        return (yield* call("revoke_api_key", { key_id })).error === undefined
      })
    )
  )
  return { recordings, pictures, streams, keys } satisfies Record<string, Tally>
})

/** What happens to programs: they are killed, stopped for a while, told to read their configuration again. */
const hurt = Effect.fnUntraced(function* ({ ground, pid }: Service) {
  const chance = fractions(1)
  const some = (name: string): number | undefined => {
    const all = ground.running(name)
    return all[Math.floor(chance() * all.length)]?.pid
  }
  const send = (name: string, what: NodeJS.Signals) =>
    Effect.sync(() => {
      const victim = some(name)
      if (victim !== undefined) signal(victim, what)
    })
  yield* again("17 seconds", send("ffmpeg", "SIGKILL"))
  yield* again("71 seconds", send("mediamtx", "SIGKILL"))
  yield* again(
    "29 seconds",
    Effect.suspend(() => {
      const victim = some("ffmpeg")
      if (victim === undefined) return Effect.void
      const go = Effect.sync(() => signal(victim, "SIGCONT"))
      return Effect.andThen(
        Effect.sync(() => signal(victim, "SIGSTOP")),
        Effect.ensuring(Effect.sleep("6 seconds"), go)
      )
    })
  )
  yield* again(
    "43 seconds",
    Effect.sync(() => signal(pid, "SIGHUP"))
  )
})

/** Of the files in these folders of a folder. */
const megabytesIn = (folder: string, ...within: ReadonlyArray<string>): number =>
  within
    .flatMap((name) => readdirSync(join(folder, name)).map((file) => join(folder, name, file)))
    .map((path) => statSync(path, { throwIfNoEntry: false }))
    .reduce((sum, state) => sum + (state?.isFile() === true ? state.size : 0), 0) /
  (1 << 20)

it.live(
  `after ${minutes} minutes of abuse a service has what it had before, and whoever does nothing wrong was served`,
  () =>
    Effect.gen(function* () {
      const lingering = { STREAMS_VIEWER_LINGER_SECONDS: "2", STREAMS_SNAPSHOT_LINGER_SECONDS: "2" }
      const service = yield* startReady({ cameras: 3, settings: { ...lingering, TELEMETRY_LOG_LEVEL: "error" } })
      const { ground, pid } = service
      const token = yield* service.token({ role: "admin", ttl: 86_400 })
      const good = yield* connect(service.url, yield* service.token({ role: "viewer", ttl: 86_400, user: "good" }))

      const admin = yield* connect(service.url, token)
      yield* admin.result("set_retention_policy", { policy_type: "size", enabled: true, max_size_gb: kept / 1024 })
      const abuse = (seconds: number) =>
        underAttack(
          service,
          Effect.gen(function* () {
            const done = yield* use(yield* connect(service.url, token))
            yield* hurt(service)
            yield* again("1 second", statusOf(`${service.health}/metrics`))
            yield* again("1 second", statusOf(`${service.files}/files/recordings/nothing.mp4`))
            const waits = yield* watchGoodClient(good, { pause: Duration.millis(100), seconds })
            yield* Effect.logInfo(done)
            return { ...waits, done }
          }).pipe(Effect.scoped),
          gently
        )
      const held = Effect.gen(function* () {
        yield* ready(service, "60 seconds")
        yield* admin.call("stop_recording", { device: "camera0" })
        yield* Effect.sleep(rest)
        const now = {
          megabytes: residentMegabytes(pid),
          descriptors: readdirSync(`/proc/${pid}/fd`).length,
          programs: ground.processes().length,
          mediaMtx: residentMegabytes(ground.running("mediamtx")[0]?.pid ?? 0),
          files: megabytesIn(ground.folder, "recordings", "snapshots"),
          beside: megabytesIn(ground.folder, "", "secrets")
        }
        yield* Effect.logInfo(now)
        return now
      })

      const whole = Effect.gen(function* () {
        yield* abuse(minutes * 60 * warm)
        const before = yield* held
        const { allowed, done, p99 } = yield* abuse(minutes * 60 * (1 - warm))
        return { before, allowed, done, p99, after: yield* held }
      })
      const { after, allowed, before, done, p99 } = yield* orEnded(service, whole)
      assert.isBelow(after.megabytes, before.megabytes + 10)
      assert.isAtMost(after.descriptors, before.descriptors + 5)
      assert.strictEqual(after.programs, before.programs)
      assert.isBelow(after.mediaMtx, before.mediaMtx + 20)
      assert.isAtMost(after.files, kept)
      assert.isBelow(after.beside, before.beside + 10)
      assert.isBelow(p99, allowed)
      for (const [what, { tried, done: times }] of Object.entries(done)) {
        assert.isAtLeast(times, leastAMinute[what as keyof typeof done] * minutes * (1 - warm), what)
        assert.isAbove(times, tried / 2, what)
      }
    }),
  minutes * 60_000 + 600_000
)
