import { readdirSync, readFileSync } from "node:fs"

/** A process as `/proc` shows it. */
export interface Process {
  readonly pid: number
  readonly parent: number
  readonly argv: ReadonlyArray<string>
}

const read = (pid: string, file: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1")
  } catch {
    // it has ended between the listing and this
    return ""
  }
}

/** Everything that runs with this text in its environment; what has ended and was not waited for does not. */
export const processesWith = (environment: string): ReadonlyArray<Process> =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && read(name, "environ").split("\0").includes(environment))
    .flatMap((pid) => {
      // the name in brackets may hold anything; what follows it is state and parent (proc_pid_stat(5))
      const [state = "", parent = ""] = read(pid, "stat").split(") ").at(-1)?.split(" ") ?? []
      const argv = read(pid, "cmdline").split("\0").slice(0, -1)
      return state === "" || state === "Z" ? [] : [{ pid: Number(pid), parent: Number(parent), argv }]
    })

/** Whether this program runs in it: FFmpeg, ffprobe and MediaMTX are told from the wrappers that start them. */
export const runs = (program: string, { argv }: Process): boolean => (argv[0] ?? "").split("/").at(-1) === program

/** Whether there is such a process, be it one that has ended and was not waited for. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Sends a signal; a process that has ended already is fine. */
export const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ESRCH") throw cause
  }
}
