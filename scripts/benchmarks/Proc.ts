import { readdirSync, readFileSync } from "node:fs"

/** Megabytes of 1024 kB, as the budgets and the reference's figures count them. */
const megabytes = (pid: number, field: string): number => {
  const status = readFileSync(`/proc/${pid}/status`, "latin1")
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1]) / 1024
}

/** Megabytes of memory that the process occupies, pages of files that it shares among them. */
export const residentMegabytes = (pid: number): number => megabytes(pid, "VmRSS")

/** Megabytes of memory that are the process's alone. */
export const anonymousMegabytes = (pid: number): number => megabytes(pid, "RssAnon")

/** Seconds of CPU that the process's threads have used: in nanoseconds, where `/proc/PID/stat` counts steps of 10 ms. */
export const cpuSeconds = (pid: number): number => {
  const used = readdirSync(`/proc/${pid}/task`).map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ")[0])
  )
  return used.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1e9
}

/** Whether it still runs: one that ended and waits for its parent to notice does not. */
export const isAlive = (pid: number): boolean => {
  try {
    return !readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.startsWith("Z")
  } catch {
    return false
  }
}
