import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import * as Queue from "effect/Queue"
import { command } from "./cli/Command.ts"
import { givenUp, leave } from "./cli/Ending.ts"
import { formatIn, makeVoice } from "./cli/Voice.ts"
import { secretVariables } from "./config/Keys.ts"
import * as Ground from "./ground/Ground.ts"
import { managerVariables } from "./ground/ServiceManager.ts"

/** The Node that all of this was measured and tested on; another one is refused rather than trusted. */
const nodeMajor = "24"

/** sysexits.h: what the operator has to change. Everything else that fails is a defect: 1. */
const statuses: Readonly<Record<string, number>> = {
  BackupUnusable: 65,
  BadUsage: 64,
  BundleFailed: 73,
  CallFailed: 69,
  OutputFailed: 73,
  CannotListen: 69,
  CertificateUnusable: 69,
  NotStarted: 69,
  PortInUse: 69,
  ProgramMissing: 69,
  ProgramUnfit: 69,
  DataFolderForeign: 69,
  DataFolderInUse: 69,
  DataFolderNewer: 69,
  DataFolderUnusable: 69,
  BadConfiguration: 78
}

/**
 * The contract's 10 s, less what a busy machine takes to get to it: an end that hangs (a disk that is dead, a process that
 * no signal reaches) is given up.
 */
const endMillis = 9500

const args = process.argv.slice(2)
const environment = { ...process.env }
// children have neither our secrets nor our say with who started us
for (const name of [...secretVariables, ...managerVariables]) delete process.env[name]

const voice = makeVoice()
// a service's words are its log's, also where there is no configuration yet, or a bad one
if (args[0] === "serve") voice.follow(formatIn(environment["CAMERA_SERVICE_TELEMETRY_LOG_FORMAT"]))
// who reads our output may go; the service stays
process.stdout.on("error", () => {})
process.stderr.on("error", () => {})
// Node would print both as it likes
process.removeAllListeners("warning").on("warning", ({ message, name }) => voice.say("warning", `${name}: ${message}`))
process.on("uncaughtException", (error) => {
  voice.say("fatal", error.stack ?? String(error), { exit_status: 1 })
  leave(1)
})

if (process.versions.node.split(".")[0] !== nodeMajor) {
  const words = `Node ${nodeMajor} is needed, this is ${process.version}: run scripts/camera-service, which brings its own`
  voice.say("fatal", words, { exit_status: 69 })
  process.exit(69)
}

/** By a signal. */
let isAskedToEnd = false

/** How the end came about: a status, and what there is to say of it. */
const outcomeOf = (exit: Exit.Exit<unknown, unknown>): { readonly status: number; readonly words?: string } => {
  if (Exit.isSuccess(exit)) return { status: typeof exit.value === "number" ? exit.value : 0 }
  if (Cause.hasInterruptsOnly(exit.cause)) {
    if (isAskedToEnd) return { status: 0 }
    return { status: 1, words: `interrupted, and nobody asked for the end: ${Cause.pretty(exit.cause)}` }
  }
  const error = Cause.squash(exit.cause)
  const tag = Predicate.isObject(error) && "_tag" in error ? String(error["_tag"]) : ""
  const status = statuses[tag] ?? 1
  return {
    status,
    words: status === 1 ? Cause.pretty(exit.cause) : error instanceof Error ? error.message : String(error)
  }
}

let giveUp: NodeJS.Timeout | undefined
/** From the first sign of the end on: it is over in time, whatever hangs. */
const boundEnd = (exit: Exit.Exit<unknown, unknown>): void => {
  giveUp ??= setTimeout(() => {
    const { status: wanted, words } = outcomeOf(exit)
    const status = wanted === 0 ? 1 : wanted
    if (words !== undefined) voice.say("fatal", words, { exit_status: status })
    voice.say("fatal", givenUp(), { exit_status: status })
    leave(status)
  }, endMillis)
}

const hangups = Effect.runSync(Queue.sliding<void>(1))
const copies = Effect.runSync(Queue.sliding<void>(1))
const main = Effect.runFork(
  Effect.provide(command(args, environment, { voice, hangups, copies, ending: boundEnd }), Ground.layer)
)

const end = (signal: NodeJS.Signals): void => {
  if (isAskedToEnd) {
    voice.say("warning", `${signal} again: ended at once`)
    // the children die with this process: the kernel sees to it (process/Child.ts)
    leave(1)
  }
  isAskedToEnd = true
  voice.say("info", `${signal}: ending; once more ends it at once`)
  boundEnd(Exit.void)
  Effect.runFork(Fiber.interrupt(main))
}
for (const name of ["SIGTERM", "SIGINT", "SIGQUIT"] as const) process.on(name, end)

// All of these end a process that does not take them, with its recordings left open; and SIGUSR1 opens Node's debugger, where
// any user of the machine may run code as us. Faults (SIGSEGV, SIGABRT, …) are what they are.
process.on("SIGHUP", () => void Queue.offerUnsafe(hangups, undefined))
process.on("SIGUSR2", () => void Queue.offerUnsafe(copies, undefined))
for (const name of [
  ...(["SIGUSR1", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGIO"] as const),
  ...(["SIGPIPE", "SIGPWR", "SIGSTKFLT", "SIGXCPU", "SIGXFSZ"] as const)
]) {
  process.on(name, () => {})
}

main.addObserver((exit) => {
  const { status, words } = outcomeOf(exit)
  if (words !== undefined) voice.say("fatal", words, { exit_status: status })
  leave(status)
})
