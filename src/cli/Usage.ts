import * as Effect from "effect/Effect"
import { parseArgs } from "node:util"
import { nearest } from "../config/Nearest.ts"
import { BadUsage } from "./BadUsage.ts"

export const help = `camera-service: turns a Linux box with cameras into a well-behaved video node

  camera-service serve [--config FILE]          run the service
  camera-service token --role ROLE [--user NAME] [--cameras a,b] [--ttl 12h] [--link] [--config FILE]
                                                print a token (roles: viewer, operator, admin), or a link that
                                                opens the web console with it
  camera-service cameras                        the cameras, and how they are
  camera-service snapshot CAMERA [-o FILE]      take a picture, and put it into a file here (-: where the
                                                shell says; .png: as PNG)
  camera-service record CAMERA [--for 10s]      record for so long, else until Ctrl-C
  camera-service recordings                     the newest recordings
  camera-service watch                          what happens, as it comes
                                                these ask the service of this machine, or that at --url ws://HOST:8002/ws
                                                with --token-file FILE; --json for programs
  camera-service tail [--json]                  the log, as journald gets it
  camera-service doctor [--json] [--bundle FILE] [--config FILE]
                                                look at all that the service needs here: what is wrong, and what
                                                mends it (status 1: warnings, 2: failures); a file for a bug report
  camera-service backup FILE                    settings, names, keys, secrets and the index; no recordings
  camera-service restore FILE                   of a service that does not run (-: from and to where the shell says)
  camera-service config check [FILE]            say whether a configuration is good
  camera-service config show [--json] [--config FILE]
                                                every key, its value and where it came from
  camera-service config schema                  a JSON Schema of the file, for editors
  camera-service version                        (or -v, --version)
  camera-service help                           (or -h, --help)

The configuration is YAML, from --config or CAMERA_SERVICE_CONFIG; key a.b_c is CAMERA_SERVICE_A_B_C in the environment.
`

const options = {
  config: { type: "string" },
  role: { type: "string" },
  user: { type: "string" },
  cameras: { type: "string" },
  ttl: { type: "string" },
  bundle: { type: "string" },
  url: { type: "string" },
  "token-file": { type: "string" },
  output: { type: "string", short: "o" },
  for: { type: "string" },
  json: { type: "boolean" },
  link: { type: "boolean" },
  version: { type: "boolean", short: "v" },
  help: { type: "boolean", short: "h" }
} as const
type Option = keyof typeof options

/** Which service is asked, and how its answer is told. */
const asking = ["config", "url", "token-file", "json"] as const

/** Each command with the options that it knows, and how many words may follow it (all of them must, where it says which). */
const commands = {
  cameras: { options: asking, words: 0 },
  snapshot: { options: [...asking, "output"], words: 1, needs: "CAMERA" },
  record: { options: [...asking, "for"], words: 1, needs: "CAMERA" },
  recordings: { options: asking, words: 0 },
  watch: { options: asking, words: 0 },
  complete: { options: [], words: Infinity },
  serve: { options: ["config"], words: 0 },
  token: { options: ["config", "role", "user", "cameras", "ttl", "link"], words: 0 },
  tail: { options: ["json"], words: 0 },
  doctor: { options: ["config", "json", "bundle"], words: 0 },
  backup: { options: ["config"], words: 1, needs: "FILE" },
  restore: { options: ["config"], words: 1, needs: "FILE" },
  "config check": { options: ["config"], words: 1 },
  "config show": { options: ["config", "json"], words: 0 },
  "config schema": { options: [], words: 0 },
  version: { options: [], words: 0 },
  help: { options: [], words: Infinity }
} satisfies Record<string, { readonly options: ReadonlyArray<Option>; readonly words: number; readonly needs?: string }>
export type CommandName = keyof typeof commands

export interface Usage {
  readonly command: CommandName
  /** what follows the command */
  readonly words: ReadonlyArray<string>
  readonly values: Readonly<Partial<Record<Option, string | boolean>>>
}

const names = Object.keys(commands) as ReadonlyArray<CommandName>
const seeHelp = "see camera-service --help"
const refuse = (detail: string) => Effect.fail(new BadUsage({ detail }))
const meant = (name: string | undefined): string => (name === undefined ? seeHelp : `did you mean ${name}?`)

/** What the command line asks for. */
export const usageOf = (args: ReadonlyArray<string>): Effect.Effect<Usage, BadUsage> => {
  const { positionals, tokens, values } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true
  })
  // the shell asks with what stands there so far
  if (args[0] === "complete") return Effect.succeed({ command: "complete", words: args.slice(1), values: {} })
  if (values["version"] === true) return Effect.succeed({ command: "version", words: [], values: {} })
  if (values["help"] === true || args.length === 0) return Effect.succeed({ command: "help", words: [], values: {} })

  const command = names.find((name) => positionals.slice(0, name.split(" ").length).join(" ") === name)
  if (command === undefined) {
    const said = positionals.join(" ")
    if (said === "config") return refuse("config needs one of check, show and schema behind it")
    return refuse(
      said === "" ? `there is no command: ${seeHelp}` : `there is no command "${said}": ${meant(near(said))}`
    )
  }
  const words = positionals.slice(command.split(" ").length)
  const known: ReadonlyArray<string> = commands[command].options
  for (const token of tokens) {
    if (token.kind !== "option") continue
    const { name, rawName, value } = token
    if (!known.includes(name)) {
      const other = nearest(name, known)
      return refuse(`${command} has no option ${rawName}: ${meant(other === undefined ? undefined : `--${other}`)}`)
    }
    const needsText = options[name as Option].type === "string"
    // the next option is nobody's value: `--role --ttl 1h`
    const isValue = token.inlineValue || !value?.startsWith("-") || (name === "output" && value === "-")
    const isText = value !== undefined && value !== "" && isValue
    if (needsText && !isText) return refuse(`${rawName} needs a value behind it: ${seeHelp}`)
    if (!needsText && value !== undefined) return refuse(`${rawName} takes no value: ${seeHelp}`)
  }
  const { needs } = commands[command] as { readonly needs?: string }
  if (needs !== undefined && words.length === 0) return refuse(`${command} needs a ${needs} behind it: ${seeHelp}`)
  if (words.length > commands[command].words)
    return refuse(`"${words.join(" ")}" is too much for ${command}: ${seeHelp}`)
  return Effect.succeed({ command, words, values })
}

/** The command that was most likely meant; a part of one is as good as a slip of the fingers. */
const near = (said: string): string | undefined =>
  nearest(said, names) ?? names.find((name) => name.split(" ").includes(said.split(" ").at(-1) ?? ""))

/** What may stand in the place of the last of these words, for a shell to offer. */
export const completions = (words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const before = words.slice(0, -1).filter((word) => !word.startsWith("-"))
  const command = names.find((name) => before.slice(0, name.split(" ").length).join(" ") === name)
  if (command !== undefined) return commands[command].options.map((name) => `--${name}`)
  const begun = names.filter((name) => name !== "complete" && before.every((word, i) => name.split(" ")[i] === word))
  return [...new Set(begun.map((name) => name.split(" ")[before.length] ?? ""))]
}
