import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import { join } from "node:path"
import { CameraId } from "../../schema/Camera.ts"
import type { DependencyFailed } from "../../schema/Errors.ts"
import { RetentionPolicy } from "../../schema/Storage.ts"
import { DataFolder } from "./DataFolder.ts"
import { inTime, smallFileTime } from "./InTime.ts"
import { keepAll, noPolicies, type Policies } from "./RetentionRules.ts"
import { SmallFiles } from "./SmallFiles.ts"

const Kept = Schema.fromJsonString(
  Schema.Struct({
    version: Schema.Literal(1),
    all: Schema.optionalKey(RetentionPolicy),
    cameras: Schema.Record(CameraId, RetentionPolicy)
  })
)

/** In the data folder. */
export const retentionName = "retention.json"

/** The policies that were set, for good: `retention.json`. */
export class RetentionPolicies extends Context.Service<
  RetentionPolicies,
  {
    /** read from the disk when they are first asked for */
    readonly get: Effect.Effect<Policies, DependencyFailed>
    /**
     * for all files, or those of one camera; it is on the disk when this returns, and else not in force: a disk that hangs is
     * waited for 10 s, and it is in force when that has answered
     */
    readonly set: (policy: RetentionPolicy, device: CameraId | undefined) => Effect.Effect<void, DependencyFailed>
  }
>()("camera-service/storage/RetentionPolicies") {
  static readonly layer = Layer.effect(
    RetentionPolicies,
    Effect.gen(function* () {
      const folder = yield* DataFolder
      const smallFiles = yield* SmallFiles
      const file = join(folder.root, retentionName)
      const oneChange = yield* Semaphore.make(1)
      let known: Policies | undefined

      const read = Effect.gen(function* () {
        const text = yield* smallFiles.read(file)
        if (Option.isNone(text)) return noPolicies
        return yield* Schema.decodeEffect(Kept)(text.value).pipe(
          Effect.map(({ all, cameras }): Policies => ({ all, cameras })),
          Effect.catch((error) =>
            Effect.as(
              Effect.logError("retention.json is not readable: no file is deleted by itself until it is", error),
              keepAll
            )
          )
        )
      })

      const get = Effect.suspend(() => {
        if (known !== undefined) return Effect.succeed(known)
        // one may have been set meanwhile
        return Effect.map(read, (policies) => (known ??= policies))
      })

      const set = Effect.fn("RetentionPolicies.set")(
        function* (policy: RetentionPolicy, device: CameraId | undefined) {
          const { all, cameras } = yield* get
          const next: Policies =
            device === undefined ? { all: policy, cameras } : { all, cameras: { ...cameras, [device]: policy } }
          yield* smallFiles.write(file, `${JSON.stringify({ version: 1, ...next }, null, 2)}\n`)
          known = next
        },
        oneChange.withPermit,
        inTime("set the retention policy", smallFileTime)
      )

      return RetentionPolicies.of({ get, set })
    })
  )
}
