import * as Context from "effect/Context"
import type { SecureRandom } from "effect/crypto/SecureRandom"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import * as Layer from "effect/Layer"
import { Settings } from "../config/Settings.ts"
import { Devices } from "../device/Devices.ts"
import { Holders } from "../device/v4l2/Holders.ts"
import { Disk } from "../ground/Disk.ts"
import { KernelFiles } from "../ground/KernelFiles.ts"
import { Machine } from "../ground/Machine.ts"
import { millisSince, type Moment, now } from "../ground/Time.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import { RunningPrograms } from "../telemetry/Metrics.ts"
import { Encoders } from "../stream/Encoders.ts"
import { type Result, results } from "./Check.ts"

/** One of them writes to the disk that recordings are on. */
const every = Duration.toMillis("1 minute")

export interface Looked {
  readonly at: Moment
  readonly results: ReadonlyArray<Result>
}

/**
 * What the doctor looks at that may go wrong while the service runs, but for what it would take children, or an open camera,
 * to see. Nobody asks: nothing is looked at.
 */
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
      const devices = yield* Devices
      const { own } = yield* Machine
      const running = yield* RunningPrograms
      const given = yield* Effect.context<Settings | Disk | KernelFiles | Machine | SecureRandom | Encoders | Holders>()
      const looking = yield* FiberHandle.make()
      let last: Looked | undefined

      const formatsOf = (path: string) =>
        Effect.sync(() => {
          const camera = devices.list().find(({ input, status }) => status !== "DISCONNECTED" && input.node === path)
          return camera?.formats ?? []
        })

      const look = Effect.gen(function* () {
        const [{ makeOwnChecks }, { makeUsbChecks }, { makePortCheck }, { makeResourceChecks }] = yield* Effect.promise(
          () =>
            Promise.all([
              import("./OwnChecks.ts"),
              import("./UsbChecks.ts"),
              import("./Ports.ts"),
              import("./Resources.ts")
            ])
        )
        const folder = { path: root, isThere: true, service: own.pid }
        const checks = [
          ...(yield* makeOwnChecks),
          ...(yield* makeUsbChecks(formatsOf)),
          yield* makePortCheck(folder, [own.pid, ...running.keys()]),
          ...(yield* makeResourceChecks(folder))
        ]
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
