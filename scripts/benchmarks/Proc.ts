import { readFileSync } from "node:fs"

/** What the kernel calls USER_HZ in `/proc`: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100
const kilobyte = 1024

/** Megabytes (10^6) of memory that the process occupies. */
export const residentMegabytes = (pid: number): number => {
  const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1])
  return (kilobytes * kilobyte) / 1e6
}

/** Seconds of CPU that the process, all its threads, has used; in steps of 10 ms (proc_pid_stat(5), fields 14 and 15). */
export const cpuSeconds = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ") ?? []
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** Whether it still runs: one that ended and waits for its parent to notice does not. */
export const isAlive = (pid: number): boolean => {
  try {
    return !readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.startsWith("Z")
  } catch {
    return false
  }
}
