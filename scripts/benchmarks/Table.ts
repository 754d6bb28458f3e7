import type { Measurement } from "./Benchmark.ts"
import type { Budget } from "./Budgets.ts"
import { round } from "./Statistics.ts"

/** A row of the budgets with what came of it. */
export interface Result {
  readonly budget: Budget
  readonly measured?: Measurement
  /** why there is no value */
  readonly reason?: string
}

const columns = ["what", "reference: target · measured", "budget", "ours", "ok"]

const cells = ({ budget, measured, reason }: Result): ReadonlyArray<string> => {
  const named = [budget.what, budget.reference, budget.budget]
  if (measured === undefined) return [...named, reason ?? "", "–"]
  const detail = measured.detail === undefined ? "" : ` (${measured.detail})`
  const ours = `${round(measured.value)} ${budget.unit}`.trim()
  return [...named, `${ours}${detail}`, budget.isMet(measured.value) ? "yes" : "NO"]
}

/** The results as a table for people. */
export const table = (results: ReadonlyArray<Result>): string => {
  const rows = [columns, ...results.map(cells)]
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: ReadonlyArray<string>) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join(" | ")
      .trimEnd()
  const [head = [], ...body] = rows
  return [line(head), widths.map((width) => "-".repeat(width)).join("-|-"), ...body.map(line), ""].join("\n")
}

/** The results for programs. */
export const json = (results: ReadonlyArray<Result>): string => {
  const entries = results.map(({ budget, measured, reason }) => ({
    name: budget.name,
    value: measured?.value ?? null,
    unit: budget.unit,
    budget: budget.budget,
    reference: budget.reference,
    ok: measured === undefined ? null : budget.isMet(measured.value),
    ...(reason === undefined ? {} : { reason })
  }))
  return `${JSON.stringify(entries, null, 2)}\n`
}
