import * as Effect from "effect/Effect"
import { homedir } from "node:os"
import { load, originOf } from "../config/Load.ts"
import type { KeyReport } from "../config/Report.ts"
import { buildDate, version } from "../config/Version.ts"
import { standardFolders, StandardFolders } from "../storage/DataFolder.ts"
import type { Life } from "./Life.ts"
import { serve } from "./Serve.ts"
import { token } from "./Token.ts"
import { completions, help, usageOf } from "./Usage.ts"

const print = (text: string): Effect.Effect<void> => Effect.sync(() => void process.stdout.write(text))
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

/** What `args` ask for; gives the exit status where it is not the usual one. */
export const command = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  environment: NodeJS.ProcessEnv,
  life: Life
) {
  const { command, values, words } = yield* usageOf(args)
  const text = (name: keyof typeof values): string | undefined =>
    typeof values[name] === "string" ? values[name] : undefined
  const folders = standardFolders(homedir(), environment["XDG_STATE_HOME"])
  const file = command === "config check" ? words[0] : undefined
  const from = originOf(file ?? text("config") ?? environment["CAMERA_SERVICE_CONFIG"], environment)
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
    case "record": {
      const shell = yield* Effect.promise(() => import("./Shell.ts"))
      const { columns, isTTY } = process.stdout
      const request = {
        place: { url: text("url"), tokenFile: text("token-file") },
        isJson: values.json === true,
        width: isTTY ? columns : undefined,
        print
      }
      const [device = ""] = words
      const asked =
        command === "snapshot"
          ? shell.snapshot({ device, output: text("output") }, request, from)
          : command === "record"
            ? shell.record({ device, time: text("for") }, request, from)
            : shell[command](request, from)
      return yield* Effect.provideService(asked, StandardFolders, folders)
    }
    case "tail": {
      const { tail } = yield* Effect.promise(() => import("./Tail.ts"))
      const printAside = (said: string) => void process.stderr.write(said)
      return yield* tail({ isJson: values.json === true, print, printAside })
    }
    case "complete":
      return yield* print(
        completions(words)
          .map((word) => `${word}\n`)
          .join("")
      )
    case "doctor": {
      const { doctor } = yield* Effect.promise(() => import("./Doctor.ts"))
      const { status, text: said } = yield* doctor({ bundle: text("bundle"), isJson: values.json === true }, from).pipe(
        Effect.provideService(StandardFolders, folders)
      )
      yield* print(said)
      return status
    }
    case "backup": {
      const { backup } = yield* Effect.promise(() => import("./BackupCommands.ts"))
      const [name = ""] = words
      return life.voice.say("info", yield* Effect.provideService(backup(name, from), StandardFolders, folders))
    }
    case "restore": {
      const { restore } = yield* Effect.promise(() => import("./BackupCommands.ts"))
      const [name = ""] = words
      return life.voice.say("info", yield* Effect.provideService(restore(name, from), StandardFolders, folders))
    }
    case "config check": {
      const { configuration } = yield* load(from)
      return yield* print([...configuration.warnings, "the configuration is good"].map((line) => `${line}\n`).join(""))
    }
    case "config show": {
      const { configuration } = yield* load(from)
      const { report } = configuration
      return yield* values.json === true ? printJson(asJson(report)) : print(asText(report))
    }
    case "config schema": {
      const schema = yield* Effect.promise(
        () => import("../../schema/generated/config.json", { with: { type: "json" } })
      )
      return yield* printJson(schema.default)
    }
    case "version":
      return yield* print(`camera-service ${version} (${buildDate}, node ${process.version})\n`)
    case "help":
      return yield* print(help)
  }
})
