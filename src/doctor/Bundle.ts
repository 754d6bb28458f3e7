import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Stream from "effect/Stream"
import { join } from "node:path"
import { reachableHere } from "../config/Hosts.ts"
import type { Configuration, Origin } from "../config/Load.ts"
import { buildDate, version } from "../config/Version.ts"
import { Disk } from "../ground/Disk.ts"
import { KernelFiles } from "../ground/KernelFiles.ts"
import { Loopback } from "../ground/Loopback.ts"
import { Machine } from "../ground/Machine.ts"
import { isoTime } from "../ground/Time.ts"
import { startChild } from "../process/Child.ts"
import { maskSecrets } from "../process/MaskSecrets.ts"
import { looseAnswer } from "../storage/SharedAnswer.ts"
import type { Result } from "./Check.ts"
import type { Folder } from "./Folder.ts"
import { gzip } from "./Gzip.ts"
import { writeNew } from "./NewFile.ts"
import { tar, textEntry } from "./Tar.ts"

interface Examined {
  readonly configuration: Configuration
  readonly folder: Folder
  readonly results: ReadonlyArray<Result>
}

/** For each of the parts that have to be asked for. */
const patience = "3 seconds"
const logLines = 5000
/** Of one folder: a box that records for months has more files than anybody reads. */
const mostNames = 1000

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`

/** The log has none, and what others print is masked before it gets there; this is for what nobody has thought of. */
const withoutSecrets = (text: string): string =>
  maskSecrets(text)
    .replaceAll(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, "***")
    .replaceAll(/\bcsk_\w+/g, "***")
    .replaceAll(/\b(bearer|basic|digest) +[\w+/=.~-]{8,}/gi, "$1 ***")

/** What is asked answers in time, or that is said in its place; a disk that hangs holds nobody up. */
const within = (asked: Effect.Effect<string>) =>
  looseAnswer(asked).pipe(
    Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.succeed("it did not answer in time\n") })
  )

/** The end of the service's log. */
const journalOf = (spawner: ChildProcessSpawner["Service"]) =>
  Effect.gen(function* () {
    const args = ["--unit", "camera-service", "--lines", String(logLines), "--output", "cat", "--no-pager", "--quiet"]
    const child = yield* startChild(spawner, { program: "journalctl", args, stdout: "pipe" })
    const said = yield* Stream.mkString(Stream.decodeText(child.stdout))
    const { missing, stderr } = yield* child.exit
    if (missing) return "there is no journal on this machine\n"
    return said + stderr || "the journal has nothing of camera-service\n"
  }).pipe(
    Effect.scoped,
    Effect.orElseSucceed(() => "the journal could not be read\n")
  )

/** What the service says of itself, where it runs. */
const healthOf = (loopback: Loopback["Service"], { health }: Configuration["boot"]) =>
  Effect.gen(function* () {
    const client = yield* loopback.json({ host: reachableHere(health.host), port: health.port })
    return json((yield* client({ method: "GET", path: "/health/detailed" })).body)
  }).pipe(
    Effect.scoped,
    Effect.catch(({ detail }) => Effect.succeed(`the service does not answer: ${detail}\n`))
  )

/** The names in a folder, and sizes where there is nothing secret about them. */
const listed = Effect.fnUntraced(function* (disk: Disk["Service"], path: string, hasSecrets: boolean) {
  const names = (yield* disk.names(path)).toSorted()
  const shown = names.slice(0, mostNames)
  const states = yield* disk.states(path, shown)
  const lines = shown.map((name, i) => {
    const state = states[i]
    if (hasSecrets || state === undefined) return name
    return `${String(state.bytes).padStart(14)}  ${isoTime(state.modified)}  ${name}${state.kind === "folder" ? "/" : ""}`
  })
  const more = names.length > mostNames ? [`and ${names.length - mostNames} more`] : []
  return `${path}:\n${[...lines, ...more].join("\n")}\n\n`
})

/** What is in the data folder. */
const dataOf = (disk: Disk["Service"], folder: Folder) =>
  Effect.forEach(["", "recordings", "snapshots", "secrets"], (name) => {
    const path = join(folder.path, name)
    const lines = listed(disk, path, name === "secrets")
    return lines.pipe(Effect.catch(({ code }) => Effect.succeed(`${path}: ${code}\n\n`)))
  }).pipe(Effect.map((parts) => parts.join("")))

/** What this is, on what it stands, and who asks. */
const versionsOf = Effect.fnUntraced(function* (from: Origin, made: number) {
  const disk = yield* Disk
  const files = yield* KernelFiles
  const machine = yield* Machine
  const release = yield* Effect.orElseSucceed(disk.text("/etc/os-release"), () => "")
  return {
    camera_service: version,
    build_date: buildDate,
    ...machine.own,
    kernel: (files.text(join(files.proc, "version")) ?? "").trim(),
    system: /^PRETTY_NAME="?([^"\n]*)/m.exec(release)?.[1] ?? "",
    user: machine.user().name,
    configuration_file: from.file ?? null,
    made: isoTime(made)
  }
})

/**
 * Writes what a bug report needs into `file` (tar, gzip; 0600): the checks, versions, the configuration with its secrets
 * hidden, names and sizes in the data folder (of secrets the names alone, and nothing of what is in any file), the end of
 * the journal, and what the service says of itself where it runs. What cannot be had says so in its place.
 */
export const writeBundle = Effect.fnUntraced(function* (file: string, examined: Examined, from: Origin) {
  const { configuration, folder, results } = examined
  const disk = yield* Disk
  const loopback = yield* Loopback
  const spawner = yield* ChildProcessSpawner
  const wall = yield* Clock.currentTimeMillis
  const settings = configuration.report.map(({ key, source, value }) => ({ key, value, source }))
  const parts = [
    { name: "versions.json", text: json(yield* versionsOf(from, wall)) },
    { name: "checks.json", text: json(results) },
    { name: "configuration.json", text: json(settings) },
    { name: "data-folder.txt", text: yield* within(dataOf(disk, folder)) },
    { name: "log.txt", text: yield* within(journalOf(spawner)) },
    { name: "health.json", text: yield* within(healthOf(loopback, configuration.boot)) }
  ]
  const entries = parts.map(({ name, text }) => textEntry(`camera-service/${name}`, withoutSecrets(text)))
  const archive = yield* gzip(tar(entries, Math.floor(wall / 1000)))
  yield* writeNew(file, archive)
})
