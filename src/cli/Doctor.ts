import * as Effect from "effect/Effect"
import type { Origin } from "../config/Load.ts"
import { type Result, type Severity, worst } from "../doctor/Check.ts"
import { examine } from "../doctor/Doctor.ts"
import { writeBundle } from "../doctor/Bundle.ts"

/** 0: all is well; 1: warnings; 2: failures. */
const statuses: Readonly<Record<Severity, number>> = { ok: 0, warning: 1, failure: 2 }

/** What is printed, and the exit status. `bundle`: the file that is made for a bug report. */
export const doctor = Effect.fnUntraced(function* (
  { bundle, isJson }: { readonly bundle: string | undefined; readonly isJson: boolean },
  from: Origin
) {
  const examined = yield* examine(from)
  const { results } = examined
  const severity = worst(results)
  const text = isJson ? `${JSON.stringify({ severity, checks: results }, undefined, 2)}\n` : table(results)
  if (bundle !== undefined) yield* writeBundle(bundle, examined, from)
  const told = bundle === undefined || isJson ? text : `${text}${bundle} is made: look through it before you send it\n`
  return { text: told, status: statuses[severity] }
})

/** A line for each, what is to be done below it, and how it stands at the end. */
const table = (results: ReadonlyArray<Result>): string => {
  const width = Math.max(...results.map(({ name }) => name.length))
  const below = `\n${" ".repeat(width + 11)}`
  const lines = results.map(({ evidence, mend, name, severity }) => {
    const mending = mend === undefined ? [] : mend.split("\n").map((line) => `-> ${line}`)
    return `${severity.padEnd(7)}  ${name.padEnd(width)}  ${[...evidence.split("\n"), ...mending].join(below)}\n`
  })
  const count = (severity: Severity, word: string, others = word) => {
    const many = results.filter((one) => one.severity === severity).length
    return `${many} ${many === 1 ? word : others}`
  }
  const sum = [count("ok", "ok"), count("warning", "warning", "warnings"), count("failure", "failure", "failures")]
  return `${lines.join("")}\n${sum.join(", ")}\n`
}
