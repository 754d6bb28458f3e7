import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { millisSince, now } from "../ground/Time.ts"
import { looseAnswer } from "../storage/SharedAnswer.ts"

/** From well to ill. */
export type Severity = "ok" | "warning" | "failure"

/** What was seen. */
export interface Finding {
  readonly severity: Severity
  /** what it is judged by, for people: numbers, versions, names */
  readonly evidence: string
  /** the command, or the setting, that mends it; absent where nothing is wrong */
  readonly mend?: string
}

/** One thing that the service needs, and how one sees whether it is there. */
export interface Check {
  readonly name: string
  readonly look: Effect.Effect<Finding>
}

export interface Result extends Finding {
  readonly name: string
  /** how long it took */
  readonly milliseconds: number
}

export const ok = (evidence: string): Finding => ({ severity: "ok", evidence })
export const warning = (evidence: string, mend: string): Finding => ({ severity: "warning", evidence, mend })
export const failure = (evidence: string, mend: string): Finding => ({ severity: "failure", evidence, mend })

const order: ReadonlyArray<Severity> = ["ok", "warning", "failure"]

export const worst = (found: ReadonlyArray<Pick<Finding, "severity">>): Severity =>
  order[Math.max(0, ...found.map(({ severity }) => order.indexOf(severity)))] ?? "ok"

/** All are over by then: it leaves a second of the five that a look has to start and to end in. */
export const patience = Duration.seconds(4)

/** A disk, a driver or a program that hangs holds up no other check, and not the end. */
const result = Effect.fnUntraced(function* ({ look, name }: Check) {
  const began = yield* now
  const found = yield* looseAnswer(
    Effect.catchCause(look, (cause) =>
      Effect.succeed(failure(`the check itself failed: ${Cause.pretty(cause)}`, "report it, with doctor --bundle FILE"))
    )
  ).pipe(
    Effect.timeoutOrElse({
      duration: patience,
      orElse: () =>
        Effect.succeed(
          failure(
            `no answer within ${Duration.toSeconds(patience)} s: it hangs, or this machine is very busy`,
            "look into the kernel's log: dmesg"
          )
        )
    })
  )
  return { name, ...found, milliseconds: Math.round(yield* millisSince(began)) } satisfies Result as Result
})

/** Looks at all of them at once; in their order, within `patience`. */
export const results = (checks: ReadonlyArray<Check>): Effect.Effect<ReadonlyArray<Result>> =>
  Effect.forEach(checks, result, { concurrency: "unbounded" })
