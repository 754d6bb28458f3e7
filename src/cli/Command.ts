import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { parseArgs } from "node:util"
import { load } from "../config/Load.ts"
import { buildDate, version } from "../config/Version.ts"
import { BadUsage } from "./BadUsage.ts"
import { serve } from "./Serve.ts"
import { token } from "./Token.ts"

const help = `camera-service: turns a Linux box with cameras into a well-behaved video node

  camera-service serve [--config FILE]          run the service
  camera-service token --role ROLE [--user NAME] [--cameras a,b] [--ttl 12h] [--config FILE]
                                                print a token (roles: viewer, operator, admin)
  camera-service config check [FILE]            say whether a configuration is good
  camera-service config show [--config FILE]    every key, its value and where it came from
  camera-service --version
  camera-service --help

The configuration is YAML, from --config or CAMERA_SERVICE_CONFIG; key a.b_c is CAMERA_SERVICE_A_B_C in the environment.
`

const print = (text: string): Effect.Effect<void> => Effect.sync(() => void process.stdout.write(text))

const showConfig = (file: string | undefined, environment: NodeJS.ProcessEnv) =>
  Effect.flatMap(load({ file, environment }), ({ report }) => {
    const width = Math.max(...report.map(({ key }) => key.length))
    return print(
      report
        .map(({ changes, key, source, value }) => `${key.padEnd(width)}  ${value}  (${source}; changes ${changes})\n`)
        .join("")
    )
  })

const parse = (args: ReadonlyArray<string>) =>
  Effect.try({
    try: () =>
      parseArgs({
        args: [...args],
        allowPositionals: true,
        options: {
          config: { type: "string" },
          role: { type: "string" },
          user: { type: "string", default: "cli" },
          cameras: { type: "string" },
          ttl: { type: "string", default: "12h" },
          version: { type: "boolean" },
          help: { type: "boolean" }
        }
      }),
    catch: (cause) => new BadUsage({ detail: cause instanceof Error ? cause.message : String(cause) })
  })

/** What `args` ask for; `ending` is told when a service begins to end. */
export const command = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  environment: NodeJS.ProcessEnv,
  ending: (exit: Exit.Exit<never, unknown>) => void
) {
  const { positionals, values } = yield* parse(args)
  const configured = values.config ?? environment["CAMERA_SERVICE_CONFIG"]
  if (values.version === true)
    return yield* print(`camera-service ${version} (${buildDate}, node ${process.version})\n`)
  if (values.help === true || positionals.length === 0) return yield* print(help)
  switch (positionals.slice(0, 2).join(" ")) {
    case "serve":
      return yield* serve(configured, environment, ending)
    case "token": {
      const { cameras, role, ttl, user } = values
      return yield* Effect.flatMap(token({ cameras, role, ttl, user }, configured, environment), (text) =>
        print(`${text}\n`)
      )
    }
    case "config check":
      return yield* Effect.flatMap(load({ file: positionals[2] ?? configured, environment }), ({ warnings }) =>
        print([...warnings, "the configuration is good"].map((line) => `${line}\n`).join(""))
      )
    case "config show":
      return yield* showConfig(configured, environment)
  }
  return yield* new BadUsage({ detail: `there is no command "${positionals.join(" ")}": see camera-service --help` })
})
