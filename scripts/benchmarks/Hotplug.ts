import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Footprint } from "../../test/lab/bench/Footprint.ts"
import { emulated } from "../../test/lab/emulated.ts"
import type { Benchmark, Measurement, Run } from "./Benchmark.ts"
import { whenBrokenOff } from "./Ending.ts"
import { nativePlugs } from "./NativePlugs.ts"
import { percentile, slowest, summary } from "./Statistics.ts"

/** What `test/lab/bench/hotplug.ts` writes. */
interface LabFigures {
  readonly plugged: ReadonlyArray<number>
  readonly unplugged: ReadonlyArray<number>
  readonly fresh: ReadonlyArray<number>
  /** before the first plug */
  readonly started: Footprint
  /** after the first 20 */
  readonly before: Footprint
  readonly after: Footprint
}

const root = join(import.meta.dirname, "../..")
const boot = join(root, "test/lab/boot")

const inTheLab = async ({ say, times }: Run): Promise<LabFigures> => {
  execFileSync(boot, ["--check"])
  execFileSync(join(root, "scripts/setup"), ["--for-lab"], { stdio: "ignore" })
  const shared = mkdtempSync(join(tmpdir(), "camera-service-bench-"))
  try {
    const plugs = times(500)
    say(`${plugs} plugs in the virtual machine, which take ${Math.ceil((plugs * 1.1 + 190) / 60)} minutes`)
    const file = join(shared, "figures")
    const program = [process.execPath, ...emulated, join(root, "test/lab/bench/hotplug.ts"), String(plugs), file]
    const machine = spawn(boot, ["--limit", "1500", "--shared", shared, "--", ...program], {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"]
    })
    const keep = whenBrokenOff(() => machine.kill())
    const [status] = (await once(machine, "exit")) as [number | null]
    keep()
    if (status !== 0) throw new Error(`the lab ended with ${status}`)
    return JSON.parse(readFileSync(file, "utf8")) as LabFigures
  } finally {
    rmSync(shared, { recursive: true, force: true })
  }
}

const held = ({ descriptors, processes, threads }: Footprint): ReadonlyArray<number> => [
  descriptors,
  threads,
  processes
]

const megabytes = ({ residentMegabytes }: Footprint): string => residentMegabytes.toFixed(1)

/** A USB camera is plugged in and pulled out: in the lab with all that is real, and here on a kernel that is played. */
export const hotplug: Benchmark = async (run): Promise<ReadonlyArray<Measurement>> => {
  const native = await nativePlugs(run)
  const { after, before, fresh, plugged, started, unplugged } = await inTheLab(run)
  const lost = held(after).map((value, i) => Math.abs(value - (held(before)[i] ?? 0)))
  return [
    { name: "hotplug.native", value: percentile(native.plugged, 0.95), detail: summary(native.plugged) },
    { name: "hotplug.native_unplugged", value: percentile(native.unplugged, 0.95), detail: summary(native.unplugged) },
    { name: "hotplug.path", value: percentile(native.paths, 0.95), detail: summary(native.paths) },
    { name: "hotplug.plugged", value: percentile(plugged, 0.95), detail: summary(plugged) },
    { name: "hotplug.plugged_slowest", value: slowest(plugged) },
    { name: "hotplug.unplugged", value: percentile(unplugged, 0.95), detail: summary(unplugged) },
    { name: "hotplug.fresh_mjpeg", value: percentile(fresh, 0.95), detail: summary(fresh) },
    {
      name: "hotplug.left",
      value: lost.reduce((sum, one) => sum + one, 0),
      detail: `descriptors, threads, processes: ${held(before).join(", ")} before, ${held(after).join(", ")} after`
    },
    {
      name: "hotplug.memory",
      value: after.residentMegabytes - started.residentMegabytes,
      detail: `${[started, before, after].map(megabytes).join(", ")} MB at the start, after 20, after all`
    },
    {
      name: "hotplug.native_memory",
      value: native.resident.after - native.resident.before,
      detail: `${native.resident.before.toFixed(1)}, ${native.resident.after.toFixed(1)} MB`
    }
  ]
}
