import { readFileSync } from "node:fs"

/**
 * Ends the process now, whatever its threads do. `process.exit` joins libuv's workers, so that one which hangs in a camera's
 * driver or on a dead disk keeps the process for ever (Node 24.21, measured with a FIFO); execve(2) ends them all. The
 * children follow the shell: the kernel sees to it (process/Child.ts).
 */
export const leave = (status: number): never => {
  process.execve?.("/bin/sh", ["sh", "-c", `exit ${status}`], {})
  return process.exit(status)
}

/** The programs that this process has started and that still run, as people know them: `ffmpeg (812)`. */
const stillRunning = (): ReadonlyArray<string> => {
  const read = (path: string): string => {
    try {
      return readFileSync(`/proc/${path}`, "utf8").trim()
    } catch {
      // it has ended meanwhile, or the kernel has no such list
      return ""
    }
  }
  const pids = read(`self/task/${process.pid}/children`).split(" ")
  return pids.flatMap((pid) => (pid === "" ? [] : [`${read(`${pid}/comm`)} (${pid})`]))
}

/** The last words where the end took too long, with what still runs. */
export const givenUp = (): string => {
  const left = stillRunning()
  const others = left.length === 0 ? "" : `, with ${left.join(", ")}`
  return `the end took too long and is given up${others}`
}
