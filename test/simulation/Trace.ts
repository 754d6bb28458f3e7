import { createHash } from "node:crypto"

/** What happened in a simulation, in order: two runs are the same where their traces are. */
export interface Trace {
  readonly note: (kind: string, text: string) => void
  /** of all that was noted until now */
  readonly hash: () => string
  /** how many things were noted */
  readonly count: () => number
  /** the last ones */
  readonly tail: () => ReadonlyArray<string>
}

/** What is kept for whoever looks at a failure. */
const kept = 400

export const makeTrace = (passed: () => number, show: (line: string) => void = () => undefined): Trace => {
  const hash = createHash("sha256")
  const lines: Array<string> = []
  let count = 0
  return {
    note: (kind, text) => {
      const line = `${(passed() / 1000).toFixed(6)} ${kind} ${text}`
      hash.update(`${line}\n`)
      show(line)
      count++
      if (lines.push(line) > 2 * kept) lines.splice(0, kept)
    },
    hash: () => hash.copy().digest("hex"),
    count: () => count,
    tail: () => lines.slice(-kept)
  }
}
