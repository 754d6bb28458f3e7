import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import { command } from "./cli/Command.ts"
import { secretVariables } from "./config/Load.ts"
import * as Ground from "./ground/Ground.ts"

/** The Node that all of this was measured and tested on; another one is refused rather than trusted. */
const nodeMajor = "24"

/** sysexits.h: what the operator has to change. Everything else that fails is a defect: 1. */
const statuses: Readonly<Record<string, number>> = {
  BadUsage: 64,
  CannotListen: 69,
  PortInUse: 69,
  ProgramMissing: 69,
  DataFolderInUse: 69,
  DataFolderUnusable: 69,
  BadConfiguration: 78
}

const complain = (text: string): void => void process.stderr.write(`camera-service: ${text}\n`)

if (process.versions.node.split(".")[0] !== nodeMajor) {
  complain(`Node ${nodeMajor} is needed, this is ${process.version}: run scripts/camera-service, which brings its own`)
  process.exit(69)
}

const environment = { ...process.env }
for (const name of secretVariables) delete process.env[name]
const main = Effect.runFork(Effect.provide(command(process.argv.slice(2), environment), Ground.layer))

let asked = false
const end = (signal: NodeJS.Signals): void => {
  // the children die with this process: the kernel sees to it (process/Child.ts)
  if (asked) process.exit(1)
  asked = true
  complain(`${signal}: ending; once more ends it at once`)
  Effect.runFork(Fiber.interrupt(main))
}
process.on("SIGTERM", end)
process.on("SIGINT", end)

main.addObserver((exit) => {
  if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) process.exit(0)
  const error = Cause.squash(exit.cause)
  const tag = Predicate.isObject(error) && "_tag" in error ? String(error["_tag"]) : ""
  const status = statuses[tag] ?? 1
  complain(status === 1 ? Cause.pretty(exit.cause) : error instanceof Error ? error.message : String(error))
  process.exit(status)
})
