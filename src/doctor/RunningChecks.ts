import * as Context from "effect/Context"
import type { SecureRandom } from "effect/crypto/SecureRandom"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import * as Layer from "effect/Layer"
import { Settings } from "../config/Settings.ts"
import { Disk } from "../ground/Disk.ts"
import { KernelFiles } from "../ground/KernelFiles.ts"
import { Machine } from "../ground/Machine.ts"
import { millisSince, type Moment, now } from "../ground/Time.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import { type Result, results } from "./Check.ts"

/** One of them writes to the disk that recordings are on. */
const every = Duration.toMillis("1 minute")

export interface Looked {
  readonly at: Moment
  readonly results: ReadonlyArray<Result>
}

/** What of the machine the service may run out of, as the doctor looks at it. Nobody asks: nothing is looked at. */
export class RunningChecks extends Context.Service<
  RunningChecks,
  {
    /** as it was seen last, at once; who asks has it looked at anew, beside that, where it is a minute ago */
    readonly latest: Effect.Effect<Looked | undefined>
  }
>()("camera-service/doctor/RunningChecks") {
  static readonly layer = Layer.effect(
    RunningChecks,
    Effect.gen(function* () {
      const { root } = yield* DataFolder
      const given = yield* Effect.context<Settings | Disk | KernelFiles | Machine | SecureRandom>()
      const looking = yield* FiberHandle.make()
      let last: Looked | undefined

      const look = Effect.gen(function* () {
        const { makeResourceChecks } = yield* Effect.promise(() => import("./Resources.ts"))
        const checks = yield* makeResourceChecks({ path: root, isThere: true, service: undefined })
        last = { results: yield* results(checks), at: yield* now }
      }).pipe(Effect.provideContext(given))

      const latest = Effect.gen(function* () {
        if (last === undefined || (yield* millisSince(last.at)) >= every) {
          yield* FiberHandle.run(looking, look, { onlyIfMissing: true })
        }
        return last
      })
      return RunningChecks.of({ latest })
    })
  )
}
