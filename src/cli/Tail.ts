import * as Effect from "effect/Effect"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { describeExit, startChild } from "../process/Child.ts"
import { CallFailed } from "./CallFailed.ts"
import type { PrintOn } from "./Output.ts"
import type { Request } from "./Shell.ts"

/** Of what was logged before. */
const lines = 50

const program = "journalctl"

interface Tailing extends Pick<Request, "isJson"> {
  readonly print: PrintOn
  /** who may not read the journal is told so there by journalctl, and sees nothing otherwise */
  readonly printAside: (text: string) => void
}

/** The service's log as journald has it, of the unit that the Debian package installs: its end, and what comes, until it is interrupted. */
export const tail = Effect.fnUntraced(function* ({ isJson, print, printAside }: Tailing) {
  const spawner = yield* ChildProcessSpawner
  const args = ["--unit", "camera-service", "--lines", String(lines), "--follow", "--output", "cat", "--no-pager"]
  const child = yield* startChild(spawner, {
    program,
    args,
    stdout: "pipe",
    hears: (line) => printAside(`${plain(line)}\n`)
  })
  yield* child.stdout.pipe(
    Stream.decodeText,
    Stream.splitLines,
    Stream.runForEach((line) => print(`${isJson ? inJson(line) : forPeople(line)}\n`)),
    // how it ended says more than its pipe
    Effect.catchTag("PlatformError", () => Effect.void)
  )
  const exit = yield* child.exit
  const detail = exit.missing
    ? `there is no journal on this machine (${program}): the log is on the standard error of who started the service`
    : `${describeExit(program, exit)}: run this as root, or as one of the group systemd-journal`
  return yield* new CallFailed({ detail })
}, Effect.scoped)

const readLine = Schema.decodeUnknownOption(
  Schema.fromJsonString(
    Schema.StructWithRest(Schema.Struct({ timestamp: Schema.String, level: Schema.String, message: Schema.String }), [
      Schema.Record(Schema.String, Schema.Unknown)
    ])
  )
)

/** A line that the service did not write (systemd's, or a program's last words) as one of its own. */
const inJson = (line: string): string => (readLine(line)._tag === "Some" ? line : JSON.stringify({ message: line }))

const forPeople = (line: string): string => {
  const read = readLine(line)
  if (read._tag === "None") return plain(line)
  const { level, message, span_id: _span, timestamp, trace_id: _trace, ...rest } = read.value
  const fields = Object.entries(rest).map(
    ([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`
  )
  return plain([timestamp, level.padEnd(7), message, ...fields].join("  "))
}

/** A name that somebody chose cannot move the cursor. */
const plain = (text: string): string => text.replaceAll(/\p{Cc}/gu, " ")
