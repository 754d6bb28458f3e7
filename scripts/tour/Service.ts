import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { spawn, spawnSync } from "node:child_process"
import { createWriteStream, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"

class ServiceEnded extends Schema.TaggedError<ServiceEnded>()("ServiceEnded", {
  status: Schema.String,
  /** its last words */
  words: Schema.String,
  /** what the doctor finds ill, and what mends it */
  ills: Schema.String,
  log: Schema.String
}) {
  override get message(): string {
    return `the service ended with status ${this.status}${this.words}${this.ills}\nits log: ${this.log}`
  }
}

const readReport = Schema.decodeUnknownOption(
  Schema.fromJsonString(
    Schema.Struct({
      checks: Schema.Array(
        Schema.Struct({
          name: Schema.String,
          severity: Schema.String,
          evidence: Schema.String,
          mend: Schema.optionalKey(Schema.String)
        })
      )
    })
  )
)

/** A line for each thing that is missing or wrong here; none where not even the doctor runs: the log says why. */
const illsOf = (program: string, env: NodeJS.ProcessEnv): string => {
  const { stdout } = spawnSync(program, ["doctor", "--json"], { env, encoding: "utf8" })
  const { checks } = Option.getOrElse(readReport(stdout), () => ({ checks: [] }))
  return checks
    .filter(({ severity }) => severity === "failure")
    .map(({ evidence, mend = "", name }) => `\n  ${name}: ${evidence}\n    -> ${mend}`)
    .join("")
}

const readLine = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ level: Schema.String, message: Schema.String }))
)

/** The service as a process of its own, ready, for as long as the scope lives. Its log goes to a file that is named. */
export const startService = Effect.fnUntraced(function* (
  program: string,
  environment: Readonly<Record<string, string>>,
  readyUrl: string
) {
  const folder = mkdtempSync(join(tmpdir(), "camera-service-demo-"))
  const log = join(folder, "service.log")
  // a tour that failed leaves its log, which the complaint names
  yield* Effect.addFinalizer((exit) =>
    exit._tag === "Success" || Cause.hasInterruptsOnly(exit.cause)
      ? Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
      : Effect.void
  )
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => {
      // a group of its own: Ctrl-C reaches the demo, and the demo ends the service
      const started = spawn(program, ["serve"], {
        env: {
          ...process.env,
          ...environment,
          CAMERA_SERVICE_TELEMETRY_LOG_FORMAT: "json",
          CAMERA_SERVICE_TELEMETRY_LOG_LEVEL: "info"
        },
        stdio: ["ignore", "ignore", "pipe"],
        detached: true
      })
      started.stderr.pipe(createWriteStream(log))
      process.on("exit", () => started.kill("SIGTERM"))
      return started
    }),
    (started) =>
      Effect.callback<void>((resume) => {
        if (started.exitCode !== null || started.signalCode !== null) return resume(Effect.void)
        started.once("exit", () => resume(Effect.void))
        started.kill("SIGTERM")
      })
  )
  // not its ready port: beside a service that has the same ports that one would answer
  let words = ""
  const serving = Effect.callback<void>((resume) => {
    createInterface(child.stderr).on("line", (text) => {
      const line = readLine(text)
      if (line._tag === "None") return
      if (line.value.level === "fatal") words += `\n  ${line.value.message}`
      if (line.value.message === "camera-service is serving") resume(Effect.void)
    })
  })
  const gone = Effect.callback<never, ServiceEnded>((resume) => {
    const ended = (status: number | null) => {
      const ills = illsOf(program, { ...process.env, ...environment })
      resume(Effect.fail(new ServiceEnded({ status: String(status), words, ills, log })))
    }
    // "close": with all that it said
    child.once("close", ended)
    // what ends later was asked to, and is not ill
    return Effect.sync(() => child.off("close", ended))
  })
  const ready = Effect.tryPromise(async () => (await fetch(readyUrl)).ok).pipe(
    Effect.orElseSucceed(() => false),
    Effect.repeat({ until: (ok) => ok, schedule: Schedule.spaced("20 millis") })
  )
  yield* Effect.raceFirst(Effect.timeout(Effect.andThen(serving, ready), "30 seconds"), gone)
  return { log }
})
