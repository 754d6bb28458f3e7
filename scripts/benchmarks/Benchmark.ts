/** One value that was measured; `name` is a row of the budgets. */
export interface Measurement {
  readonly name: string
  readonly value: number
  /** what the value is made of, for people */
  readonly detail?: string
}

/** What a benchmark is given. */
export interface Run {
  /** tells whoever waits what is being done */
  readonly say: (text: string) => void
  /** so many, or a tenth of it for a quick try */
  readonly times: (count: number) => number
  /** for who simulates: so many simulated days, in place of the usual number */
  readonly days: number | undefined
}

/** Measures some rows of the budgets; fails when it cannot. */
export type Benchmark = (run: Run) => Promise<ReadonlyArray<Measurement>>
