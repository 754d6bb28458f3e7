import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { type Boot, bootSchema } from "./BootSettings.ts"
import { type Live, liveSchema } from "./LiveSettings.ts"

/**
 * Every key of the configuration with its default, its rule (`title`) and its meaning (`description`), in one of two
 * records with the same sections: `boot` is fixed for the run, `live` may change while the service runs. The YAML file
 * and the environment know one record: key `a.b_c` is `CAMERA_SERVICE_A_B_C`, whichever it belongs to. Durations are
 * numbers with their unit in the key, and `Duration` in code.
 */

/** The decoded configuration. A layer may keep what it reads of `boot`; what is `live` is asked for with `liveNow`. */
export class Settings extends Context.Service<
  Settings,
  {
    readonly boot: Boot
    readonly live: SubscriptionRef.SubscriptionRef<Live>
  }
>()("camera-service/config/Settings") {}

/** What is in force at this moment: read where it is needed, not kept. */
export const liveNow = ({ live }: Settings["Service"]): Live => SubscriptionRef.getUnsafe(live)

/** The names at the top of the record that stand for sections, not for keys. */
export const sections: ReadonlySet<string> = new Set(
  [bootSchema, liveSchema].flatMap(({ fields }) =>
    Object.entries(fields).flatMap(([name, field]) => ("fields" in field ? [name] : []))
  )
)

/** What a record says; what it leaves out has its default. */
export const decodeRecord = Effect.fnUntraced(function* (record: Readonly<Record<string, unknown>>) {
  const whole = { ...Object.fromEntries([...sections].map((name) => [name, {}])), ...record }
  const boot = yield* Schema.decodeUnknownEffect(bootSchema)(whole)
  const live = yield* Schema.decodeUnknownEffect(liveSchema)(whole)
  return { boot, live }
})

/** The settings that begin so. */
export const settingsOf = ({ boot, live }: { readonly boot: Boot; readonly live: Live }) =>
  Effect.map(SubscriptionRef.make(live), (ref) => Settings.of({ boot, live: ref }))

/** The settings that a record says. */
export const makeSettings = (record: Readonly<Record<string, unknown>>) =>
  Effect.flatMap(decodeRecord(record), settingsOf)
