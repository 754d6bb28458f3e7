import * as Effect from "effect/Effect"
import { homedir } from "node:os"
import { load, type Origin, originOf } from "../config/Load.ts"
import type { KeyReport } from "../config/Report.ts"
import { buildDate, version } from "../config/Version.ts"
import { unread } from "../ground/Unread.ts"
import { standardFolders, StandardFolders } from "../storage/DataFolder.ts"
import type { Life } from "./Life.ts"
import { printOnTo, printTo } from "./Output.ts"
import { ReaderGone } from "./ReaderGone.ts"
import { serve } from "./Serve.ts"
import { token } from "./Token.ts"
import type { Voice } from "./Voice.ts"
import { completions, help, type Usage, usageOf } from "./Usage.ts"

const print = printTo(process.stdout)
const printOn = printOnTo(process.stdout)

/** What goes on to be read ends well when its reader goes. */
const asLongAsRead = <A, E, R>(following: Effect.Effect<A, E | ReaderGone, R>) =>
  Effect.raceFirst(following, unread(process.stdout.fd)).pipe(
    Effect.catchIf(
      (error) => error instanceof ReaderGone,
      () => Effect.void
    )
  )

const printJson = (value: unknown) => print(`${JSON.stringify(value, undefined, 2)}\n`)

/** By key, as machines want it. */
const asJson = (report: ReadonlyArray<KeyReport>) =>
  Object.fromEntries(report.map(({ changes, key, source, value }) => [key, { value, source, changes }]))

const asText = (report: ReadonlyArray<KeyReport>): string => {
  const width = Math.max(...report.map(({ key }) => key.length))
  return report
    .map(({ changes, key, source, value }) => {
      const shown = value === "***" ? value : JSON.stringify(value)
      return `${key.padEnd(width)}  ${shown}  (${source}; changes ${changes})\n`
    })
    .join("")
}

const textIn =
  ({ values }: Usage) =>
  (name: keyof Usage["values"]): string | undefined => {
    const value = values[name]
    return typeof value === "string" ? value : undefined
  }

/** Asks the service of this machine, or another one. */
const ask = Effect.fnUntraced(function* (
  command: "cameras" | "recordings" | "watch" | "snapshot" | "record",
  usage: Usage,
  from: Origin,
  voice: Voice
) {
  const shell = yield* Effect.promise(() => import("./Shell.ts"))
  const text = textIn(usage)
  const { columns, isTTY } = process.stdout
  const request = {
    place: { url: text("url"), tokenFile: text("token-file") },
    isJson: usage.values.json === true,
    width: isTTY ? columns : undefined,
    print,
    tell: (words: string) => Effect.sync(() => voice.say("warning", words))
  }
  const [device = ""] = usage.words
  switch (command) {
    case "snapshot":
      return yield* shell.snapshot({ device, output: text("output") }, request, from)
    case "record": {
      const { record } = yield* Effect.promise(() => import("./Record.ts"))
      return yield* record({ device, time: text("for") }, request, from)
    }
    case "watch": {
      const { watch } = yield* Effect.promise(() => import("./Watch.ts"))
      return yield* asLongAsRead(watch({ ...request, print: printOn }, from))
    }
    default:
      return yield* shell[command](request, from)
  }
})

/** Says what a configuration is, or may be. */
const tellConfiguration = Effect.fnUntraced(function* (
  command: "config check" | "config show" | "config schema",
  { values }: Usage,
  from: Origin
) {
  if (command === "config schema") {
    const schema = yield* Effect.promise(() => import("../../schema/generated/config.json", { with: { type: "json" } }))
    return yield* printJson(schema.default)
  }
  const { report, warnings } = (yield* load(from)).configuration
  if (command === "config check") {
    return yield* print([...warnings, "the configuration is good"].map((line) => `${line}\n`).join(""))
  }
  return yield* values.json === true ? printJson(asJson(report)) : print(asText(report))
})

/** What `args` ask for; gives the exit status where it is not the usual one. */
export const command = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  environment: NodeJS.ProcessEnv,
  life: Life
) {
  const usage = yield* usageOf(args)
  const { command, values, words } = usage
  const text = textIn(usage)
  const folders = standardFolders(homedir(), environment["XDG_STATE_HOME"])
  const file = command === "config check" ? words[0] : undefined
  const from = originOf(file ?? text("config") ?? environment["CAMERA_SERVICE_CONFIG"], environment)
  const isJson = values.json === true
  switch (command) {
    case "serve":
      return yield* serve(from, life)
    case "token": {
      const { link, secretOf, signed } = yield* token(
        { role: text("role"), user: text("user") ?? "cli", cameras: text("cameras"), ttl: text("ttl") ?? "12h" },
        from
      )
      life.voice.say("info", `signed with ${secretOf}`)
      return yield* print(`${values.link === true ? link : signed}\n`)
    }
    case "cameras":
    case "recordings":
    case "watch":
    case "snapshot":
    case "record":
      return yield* Effect.provideService(ask(command, usage, from, life.voice), StandardFolders, folders)
    case "tail": {
      const { tail } = yield* Effect.promise(() => import("./Tail.ts"))
      const printAside = (said: string) => void process.stderr.write(said)
      return yield* asLongAsRead(tail({ isJson, print: printOn, printAside }))
    }
    case "complete":
      return yield* print(
        completions(words)
          .map((word) => `${word}\n`)
          .join("")
      )
    case "doctor": {
      const { doctor } = yield* Effect.promise(() => import("./Doctor.ts"))
      const examining = doctor({ bundle: text("bundle"), isJson }, from)
      const { status, text: said } = yield* Effect.provideService(examining, StandardFolders, folders)
      yield* print(said)
      return status
    }
    case "backup": {
      const { backup } = yield* Effect.promise(() => import("./BackupCommands.ts"))
      const [name = ""] = words
      return life.voice.say("info", yield* Effect.provideService(backup(name, from, print), StandardFolders, folders))
    }
    case "restore": {
      const { restore } = yield* Effect.promise(() => import("./BackupCommands.ts"))
      const [name = ""] = words
      return life.voice.say("info", yield* Effect.provideService(restore(name, from), StandardFolders, folders))
    }
    case "config check":
    case "config show":
    case "config schema":
      return yield* tellConfiguration(command, usage, from)
    case "version":
      return yield* print(`camera-service ${version} (${buildDate}, node ${process.version})\n`)
    case "help":
      return yield* print(help)
  }
})
