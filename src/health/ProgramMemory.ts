import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Settings } from "../config/Settings.ts"
import { Machine } from "../ground/Machine.ts"
import type { StreamName } from "../stream/StreamName.ts"
import { Streams } from "../stream/Streams.ts"
import { RunningPrograms } from "../telemetry/Metrics.ts"

/** What the programs that run for us occupy (RSS, in bytes), shared pages of libraries included. */
export class ProgramMemory extends Context.Service<
  ProgramMemory,
  {
    /** undefined: none of ours runs */
    readonly mediaMtx: () => number | undefined
    /** the FFmpeg that makes this stream; 0: none does */
    readonly ofStream: (name: StreamName) => number
    /** of each stream that an FFmpeg makes now */
    readonly byStream: () => ReadonlyArray<readonly [name: StreamName, bytes: number]>
    /** all of FFmpeg that makes no stream: pictures, trials, conversions, exports */
    readonly others: () => number
  }
>()("camera-service/health/ProgramMemory") {
  static readonly layer = Layer.effect(
    ProgramMemory,
    Effect.gen(function* () {
      const machine = yield* Machine
      const streams = yield* Streams
      const running = yield* RunningPrograms
      const { binary } = (yield* Settings).boot.mediamtx

      const sum = (isCounted: (pid: number, program: string) => boolean): number =>
        Array.from(running).reduce(
          (bytes, [pid, program]) => (isCounted(pid, program) ? bytes + machine.residentOf(pid) : bytes),
          0
        )

      return ProgramMemory.of({
        mediaMtx: () => sum((_, program) => program === binary) || undefined,
        ofStream: (name) => {
          const pid = streams.current(name)?.run?.pid
          return pid === undefined ? 0 : machine.residentOf(pid)
        },
        byStream: () =>
          streams
            .all()
            .flatMap(({ name, run }) => (run?.pid === undefined ? [] : [[name, machine.residentOf(run.pid)] as const])),
        others: () => {
          const publishing = new Set(streams.all().map(({ run }) => run?.pid))
          return sum((pid, program) => program !== binary && !publishing.has(pid))
        }
      })
    })
  )
}
