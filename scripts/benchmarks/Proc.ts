import { readdirSync, readFileSync } from "node:fs"

/** Megabytes (of 1024 kB, as the budgets and the reference's figures count them) of memory that the process occupies. */
export const residentMegabytes = (pid: number): number => {
  const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1])
  return kilobytes / 1024
}

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
