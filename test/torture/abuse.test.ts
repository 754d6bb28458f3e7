import { assert, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { residentMegabytes } from "../../scripts/benchmarks/Proc.ts"
import { fractions } from "../../testing/Chance.ts"
import { watchGoodClient } from "../support/GoodClient.ts"
import { connect, type PlainClient } from "../support/PlainClient.ts"
import { signal } from "../support/Processes.ts"
import { orEnded, ready, type Service, startReady, statusOf } from "../support/Service.ts"

const minutes = Number(process.env["ABUSE_MINUTES"] ?? 30)
/** The caches are full after this share of them. */
const warm = 1 / 6
/** All that lingers is gone, and memory is given back. */
const rest = "100 seconds"

/** Between the pieces of a flood: others need this machine too. */
const gently = 250

/** Does something again and again, whatever is answered, until the scope ends. */
const again = (pause: Duration.Input, work: Effect.Effect<unknown>) =>
  Effect.forkScoped(Effect.forever(Effect.andThen(work, Effect.sleep(pause))))

const attack = (port: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const program = join(import.meta.dirname, "fixtures/attacker.ts")
      return spawn(process.execPath, [program, String(port), String(gently)], {
        stdio: ["ignore", "ignore", "inherit"]
      })
    }),
    (attacker) => Effect.sync(() => attacker.kill("SIGKILL"))
  )

/** Takes and deletes pictures, records and deletes, streams, makes and revokes keys: until the scope ends. */
const use = Effect.fnUntraced(function* (client: PlainClient) {
  const { call } = client
  const named = (result: unknown) => ({ filename: (result as { readonly filename?: string } | undefined)?.filename })
  yield* again(
    "1 second",
    Effect.gen(function* () {
      yield* call("start_recording", { device: "camera0", format: "mkv" })
      yield* Effect.sleep("4 seconds")
      yield* call("delete_recording", named((yield* call("stop_recording", { device: "camera0" })).result))
    })
  )
  yield* again(
    "2 seconds",
    Effect.flatMap(call("take_snapshot", { device: "camera1", max_age_ms: 0 }), ({ result }) =>
      call("delete_snapshot", named(result))
    )
  )
  yield* again(
    "3 seconds",
    Effect.gen(function* () {
      yield* call("start_streaming", { device: "camera2" })
      yield* Effect.sleep("3 seconds")
      yield* call("stop_streaming", { device: "camera2" })
    })
  )
  yield* again(
    "2 seconds",
    Effect.gen(function* () {
      const { result } = yield* call("create_api_key", { role: "viewer" })
      yield* call("revoke_api_key", { key_id: (result as { readonly key_id?: string } | undefined)?.key_id })
    })
  )
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

it.live(
  `after ${minutes} minutes of abuse a service has what it had before, and whoever does nothing wrong was served`,
  () =>
    Effect.gen(function* () {
      const lingering = { STREAMS_VIEWER_LINGER_SECONDS: "2", STREAMS_SNAPSHOT_LINGER_SECONDS: "2" }
      const service = yield* startReady({ cameras: 3, settings: { ...lingering, TELEMETRY_LOG_LEVEL: "error" } })
      const { ground, pid } = service
      const token = yield* service.token({ role: "admin", ttl: 86_400 })
      const good = yield* connect(service.url, yield* service.token({ role: "viewer", ttl: 86_400, user: "good" }))

      const abuse = (seconds: number) =>
        Effect.scoped(
          Effect.gen(function* () {
            yield* attack(ground.ports.server)
            yield* use(yield* connect(service.url, token))
            yield* hurt(service)
            yield* again("1 second", statusOf(`${service.health}/metrics`))
            yield* again("1 second", statusOf(`${service.files}/files/recordings/nothing.mp4`))
            return yield* watchGoodClient(good, { pause: Duration.millis(100), seconds })
          })
        )
      const held = Effect.gen(function* () {
        yield* ready(service, "60 seconds")
        const ending = yield* connect(service.url, token)
        yield* ending.call("stop_recording", { device: "camera0" })
        yield* Effect.sleep(rest)
        const now = {
          megabytes: residentMegabytes(pid),
          descriptors: readdirSync(`/proc/${pid}/fd`).length,
          programs: ground.processes().length
        }
        yield* Effect.logInfo(now)
        return now
      })

      const whole = Effect.gen(function* () {
        yield* abuse(minutes * 60 * warm)
        const before = yield* held
        const { allowed, p99 } = yield* abuse(minutes * 60 * (1 - warm))
        return { before, allowed, p99, after: yield* held }
      })
      const { after, allowed, before, p99 } = yield* orEnded(service, whole)
      assert.isBelow(after.megabytes, before.megabytes + 10)
      assert.isAtMost(after.descriptors, before.descriptors + 5)
      assert.strictEqual(after.programs, before.programs)
      assert.isBelow(p99, allowed)
    }),
  minutes * 60_000 + 600_000
)
