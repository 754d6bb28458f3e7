import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { KoffiFunc } from "koffi"
import { readdirSync, readFileSync } from "node:fs"
import { hostname, userInfo } from "node:os"

/** What the machine says of itself and of this process. */
export class Machine extends Context.Service<
  Machine,
  {
    /** its name in the network */
    readonly name: () => string
    /** this process, what runs it (`node v24.21.0`), and for which processors that was built (`x64`) */
    readonly own: { readonly pid: number; readonly runtime: string; readonly architecture: string }
    /** who this process runs as; `groups` are numbers, its own one among them */
    readonly user: () => { readonly name: string; readonly id: number; readonly groups: ReadonlyArray<number> }
    /** whether somebody (NTP, PTP) keeps the wall clock right; undefined where the kernel cannot be asked. Loads koffi. */
    readonly clockIsKept: Effect.Effect<boolean | undefined>
    /** bytes that the process occupies (RSS), of them those that are its alone (RssAnon), and those in use on V8's heap */
    readonly memory: () => { readonly resident: number; readonly anonymous: number; readonly heapUsed: number }
    /** bytes that this process occupies (VmRSS); 0: there is none */
    readonly residentOf: (pid: number) => number
    /** bytes of the machine's memory: all, and what is to be had for new work */
    readonly room: () => { readonly total: number; readonly available: number }
    /** seconds of CPU that this process has used */
    readonly processorSeconds: () => number
    /** of all CPUs, in a unit of the kernel's: their time, and that in which they worked */
    readonly processors: () => { readonly all: number; readonly busy: number }
    /** milliseconds for which threads of a process have waited for a CPU, added up over those that there are; 0: not known */
    readonly processorWait: (pid: number) => number
    /** whether a process does anything, or waits for a CPU to do it, within 0.1 s; one that is gone, frozen or asleep does not */
    readonly works: (pid: number) => Effect.Effect<boolean>
  }
>()("camera-service/ground/Machine") {
  static readonly layer = Layer.sync(Machine, () =>
    Machine.of({
      name: hostname,
      own: { pid: process.pid, runtime: `node ${process.version}`, architecture: process.arch },
      user,
      clockIsKept,
      memory: () => {
        const { heapUsed, rss } = process.memoryUsage()
        return { resident: rss, anonymous: kilobytes("/proc/self/status", "RssAnon") * 1024, heapUsed }
      },
      residentOf: (pid) => kilobytes(`/proc/${pid}/status`, "VmRSS") * 1024,
      room: () => ({
        total: kilobytes("/proc/meminfo", "MemTotal") * 1024,
        available: kilobytes("/proc/meminfo", "MemAvailable") * 1024
      }),
      processorSeconds: () => {
        const { system, user } = process.cpuUsage()
        return (user + system) / 1e6
      },
      processors,
      processorWait,
      works
    })
  )
}

const user = () => {
  const id = process.getuid?.() ?? 0
  const groups = [...new Set([process.getgid?.() ?? 0, ...(process.getgroups?.() ?? [])])]
  try {
    return { name: userInfo().username, id, groups }
  } catch {
    // a number that no account has, as in containers
    return { name: String(id), id, groups }
  }
}

/** linux/timex.h, on machines of 64 bits: `modes` of 0 sets nothing; `status` lies behind it and four longs. */
const timex = { bytes: 208, status: 40, unsynchronized: 0x40 }

const clockIsKept = Effect.promise(async () => {
  try {
    const { load } = await import("koffi")
    const adjtimex = load(null).func("int adjtimex(void *timex)") as KoffiFunc<(answer: Buffer) => number>
    const answer = Buffer.alloc(timex.bytes)
    if (adjtimex(answer) === -1) return undefined
    return (answer.readInt32LE(timex.status) & timex.unsynchronized) === 0
  } catch {
    return undefined
  }
})

/** The kernel tells these from memory, in microseconds. */
const text = (path: string): string => {
  try {
    return readFileSync(path, "latin1")
  } catch {
    // no proc file system: nothing is known
    return ""
  }
}

const kilobytes = (path: string, field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(text(path))?.[1] ?? 0)

/** `cpu  user nice system idle iowait irq softirq steal …` (proc_stat(5)); guests are counted in user and nice */
const processors = () => {
  const times = (/^cpu +(.+)$/m.exec(text("/proc/stat"))?.[1] ?? "").split(" ").slice(0, 8).map(Number)
  const all = times.reduce((sum, time) => sum + time, 0)
  const [, , , idle = 0, wait = 0] = times
  return { all, busy: all - idle - wait }
}

const threadsOf = (pid: number): ReadonlyArray<string> => {
  try {
    return readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}`)
  } catch {
    return []
  }
}

/** `pid (name) R …` (proc_pid_stat(5)): on a CPU, or in the queue for one */
const isRunnable = (thread: string): boolean => /^.*\) R/.test(text(`${thread}/stat`))
/** nanoseconds on a CPU, and in the queue for one (kernel, Documentation/scheduler/sched-stats.rst); none: not known */
const scheduled = (thread: string): ReadonlyArray<number> => text(`${thread}/schedstat`).split(" ").map(Number)
const ranFor = (thread: string): number => scheduled(thread)[0] ?? 0

const processorWait = (pid: number): number =>
  threadsOf(pid).reduce((sum, thread) => sum + (scheduled(thread)[1] ?? 0), 0) / 1e6

const works = Effect.fnUntraced(function* (pid: number) {
  const ran = () => threadsOf(pid).reduce((sum, thread) => sum + ranFor(thread), 0)
  const before = ran()
  if (threadsOf(pid).some(isRunnable)) return true
  yield* Effect.sleep("100 millis")
  return ran() > before || threadsOf(pid).some(isRunnable)
})
