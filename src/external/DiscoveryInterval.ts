import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { join } from "node:path"
import type { DependencyFailed } from "../../schema/Errors.ts"
import { leastScanInterval } from "../../schema/External.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import { SmallFiles } from "../storage/SmallFiles.ts"

const Stored = Schema.fromJsonString(Schema.Struct({ version: Schema.Literal(1), scan_interval: Schema.Int }))

/** Shorter ones were taken once, and never kept. */
const keepable = (seconds: number): number => (seconds === 0 ? 0 : Math.max(leastScanInterval, seconds))

/** In the data folder. */
export const discoveryName = "discovery.json"

/** How often streams are looked for in the network, for good: `discovery.json`. */
export class DiscoveryInterval extends Context.Service<
  DiscoveryInterval,
  {
    /** seconds from one scan to the next; 0: only when asked */
    readonly now: SubscriptionRef.SubscriptionRef<number>
    /** it is on the disk when this returns, and else not in force */
    readonly set: (seconds: number) => Effect.Effect<void, DependencyFailed>
  }
>()("camera-service/external/DiscoveryInterval") {
  static readonly layer = Layer.effect(
    DiscoveryInterval,
    Effect.gen(function* () {
      const smallFiles = yield* SmallFiles
      const file = join((yield* DataFolder).root, discoveryName)

      const kept = Effect.flatMap(
        smallFiles.read(file),
        Option.match({
          onNone: () => Effect.succeed(0),
          onSome: (text) =>
            Effect.map(Schema.decodeEffect(Stored)(text), ({ scan_interval }) => keepable(scan_interval))
        })
      ).pipe(
        Effect.catch((error) =>
          Effect.as(Effect.logError("discovery.json is not readable: streams are looked for when asked only", error), 0)
        )
      )

      const now = yield* SubscriptionRef.make(yield* kept)
      const set = Effect.fn("DiscoveryInterval.set")(function* (scan_interval: number) {
        yield* smallFiles.write(file, `${JSON.stringify({ version: 1, scan_interval })}\n`)
        yield* SubscriptionRef.set(now, scan_interval)
      }, Effect.uninterruptible)
      return DiscoveryInterval.of({ now, set })
    })
  )
}
