import { readdirSync } from "node:fs"
import { residentMegabytes } from "../../../scripts/benchmarks/Proc.ts"
import type { Process } from "../../support/Processes.ts"

/** What a service holds of the machine. */
export interface Footprint {
  readonly descriptors: number
  readonly threads: number
  readonly processes: number
  /** of MediaMTX */
  readonly paths: number
  readonly residentMegabytes: number
}

const count = (folder: string): number => readdirSync(folder).length

export const footprintOf = async (
  pid: number,
  processes: ReadonlyArray<Process>,
  apiPort: number
): Promise<Footprint> => {
  const reply = await fetch(`http://127.0.0.1:${apiPort}/v3/config/paths/list`)
  const { itemCount } = (await reply.json()) as { readonly itemCount: number }
  return {
    descriptors: count(`/proc/${pid}/fd`),
    threads: count(`/proc/${pid}/task`),
    processes: processes.length,
    paths: itemCount,
    residentMegabytes: residentMegabytes(pid)
  }
}
