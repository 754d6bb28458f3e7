import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Machine } from "../ground/Machine.ts"
import { monotonicNow } from "../ground/Time.ts"

/** A shorter time says little of what a machine does. */
const shortest = 1000

const percent = (part: number, whole: number): number =>
  whole > 0 ? Math.round(Math.min(100, Math.max(0, (part / whole) * 100)) * 100) / 100 : 0

/** How much of the machine is used, by whatever runs on it: percent, 0 to 100. */
export class MachineUsage extends Context.Service<
  MachineUsage,
  {
    /** of all CPUs, since it was last asked a second or more ago */
    readonly processor: () => number
    /** of the memory: what is not to be had any more */
    readonly memory: () => number
  }
>()("camera-service/self/MachineUsage") {
  static readonly layer = Layer.effect(
    MachineUsage,
    Effect.gen(function* () {
      const machine = yield* Machine
      const now = yield* monotonicNow
      let before = { at: now(), ...machine.processors() }
      let last = 0
      return MachineUsage.of({
        processor: () => {
          const at = now()
          if (at - before.at < shortest) return last
          const times = machine.processors()
          last = percent(times.busy - before.busy, times.all - before.all)
          before = { at, ...times }
          return last
        },
        memory: () => {
          const { available, total } = machine.room()
          return percent(total - available, total)
        }
      })
    })
  )
}
