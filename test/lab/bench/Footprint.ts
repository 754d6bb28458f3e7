import { readdirSync } from "node:fs"
import { residentMegabytes } from "../../../scripts/benchmarks/Proc.ts"
import type { Process } from "../../support/Processes.ts"

/** What a service holds of the machine. */
export interface Footprint {
  readonly descriptors: number
  readonly threads: number
  readonly processes: number
  readonly residentMegabytes: number
}

const count = (folder: string): number => readdirSync(folder).length

export const footprintOf = (pid: number, processes: ReadonlyArray<Process>): Footprint => ({
  descriptors: count(`/proc/${pid}/fd`),
  threads: count(`/proc/${pid}/task`),
  processes: processes.length,
  residentMegabytes: residentMegabytes(pid)
})
