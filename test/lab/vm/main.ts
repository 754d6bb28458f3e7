import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { makeGround } from "../../support/Service.ts"
import { type Bench, makeBench } from "./Bench.ts"
import { makeLab } from "./Lab.ts"
import { openUp } from "./OpenUp.ts"
import { decodeResult, encodeResult, resultsFile } from "./Results.ts"
import type { Play, Scenario } from "./Scenario.ts"
import { loadScenarios } from "./Scenarios.ts"

/*
 * `main.ts FOLDER [FILE…]`. Runs in the machine: all scenarios of the folder, or those whose files' names begin with one of the
 * others, one after the other.
 */

const [folder = "", ...files] = process.argv.slice(2)
const shared = process.env["LAB_SHARED"] ?? ""
const boot = Number(process.env["LAB_BOOT"])
const results = join(shared, resultsFile)
/** The exit status that resets the machine (test/lab/boot). */
const reset = 194
const longest = "4 minutes"

/** What an emulated machine needs to be told: its FFmpeg takes 3 s to start. */
const slowMachine = {
  CAMERAS_V4L2: "true",
  STREAMS_START_TIMEOUT_SECONDS: "40",
  SNAPSHOTS_LIVE_TIMEOUT_SECONDS: "10",
  SNAPSHOTS_ACTIVATED_TIMEOUT_SECONDS: "10",
  SNAPSHOTS_DIRECT_TIMEOUT_SECONDS: "10"
}

const groundFor = ({ settings = {} }: Pick<Scenario, "settings">, data?: string) =>
  makeGround({
    cameras: 0,
    isBuilt: true,
    settings: { ...slowMachine, ...settings },
    ...(data === undefined ? {} : { folder: data })
  })

const tell = (title: string, seconds: number, failure: string | undefined): void => {
  appendFileSync(results, `${encodeResult({ title, seconds, ...(failure === undefined ? {} : { failure }) })}\n`)
  process.stdout.write(`${failure === undefined ? "ok     " : "FAILED "} ${seconds.toFixed(1)} s  ${title}\n`)
}

/** Plays it, and says how it went unless it is to go on after a reboot. */
const perform = Effect.fnUntraced(function* (scenario: Scenario, play: Play<string>, bench: Bench, isLast: boolean) {
  const began = yield* Clock.currentTimeMillis
  bench.now().updates.clear()
  const exit = yield* makeLab(scenario.cameras, bench, boot).pipe(
    Effect.flatMap(play),
    Effect.scoped,
    Effect.timeout(longest),
    Effect.exit
  )
  const seconds = ((yield* Clock.currentTimeMillis) - began) / 1000
  if (Exit.isSuccess(exit)) {
    if (isLast) tell(scenario.title, seconds, undefined)
    return true
  }
  const log = bench.now().service.stderr().split("\n").slice(-60).join("\n")
  const errors = exit.cause.reasons.map((reason) => (reason._tag === "Fail" ? JSON.stringify(reason.error) : ""))
  const why = [Cause.pretty(exit.cause), ...errors].join("\n")
  tell(scenario.title, seconds, `${why}\n\nthe service's log:\n${log}`)
  return false
})

const played = (): ReadonlySet<string> =>
  new Set(
    existsSync(results)
      ? readFileSync(results, "utf8")
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => decodeResult(line).title)
      : []
  )

/** On a service that outlasts the machine: its data folder is the host's. */
const beforeAndAfter = Effect.fnUntraced(function* (scenario: Scenario, after: Play<string>) {
  const marker = join(shared, "rebooted")
  const data = join(shared, "data")
  mkdirSync(data, { recursive: true })
  const bench = yield* makeBench(yield* groundFor(scenario, data))
  if (existsSync(marker)) return yield* perform(scenario, after, bench, true)
  if (!(yield* perform(scenario, scenario.play, bench, false))) return
  appendFileSync(marker, "")
  // as by the button: nothing is closed, nobody is told
  process.exit(reset)
}, Effect.scoped)

const main = Effect.gen(function* () {
  const done = played()
  const scenarios = (yield* Effect.promise(() => loadScenarios(folder, files))).filter(({ title }) => !done.has(title))
  const sharing = scenarios.filter(({ afterReboot, settings }) => afterReboot === undefined && settings === undefined)
  if (sharing.length > 0) {
    yield* Effect.gen(function* () {
      const bench = yield* makeBench(yield* groundFor({}))
      for (const one of sharing) yield* perform(one, one.play, bench, true)
    }).pipe(Effect.scoped)
  }
  for (const one of scenarios) {
    const { afterReboot, play, settings } = one
    if (afterReboot !== undefined) yield* beforeAndAfter(one, afterReboot)
    else if (settings !== undefined) {
      if (one.user !== undefined) openUp()
      yield* Effect.gen(function* () {
        const data = one.data === undefined ? undefined : yield* one.data
        yield* perform(one, play, yield* makeBench(yield* groundFor(one, data), one.user), true)
      }).pipe(Effect.scoped)
    }
  }
})

NodeRuntime.runMain(main.pipe(Effect.provide(Logger.layer([]))))
