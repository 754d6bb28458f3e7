import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { type Boot, bootSchema } from "./BootSettings.ts"
import { sections } from "./Keys.ts"
import { type Live, liveSchema } from "./LiveSettings.ts"
import { type KeyReport, reportOf, valuesOf } from "./Report.ts"

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
    /** fixed for the run */
    readonly boot: Boot
    /** as it is now; who follows it hears of each change */
    readonly live: SubscriptionRef.SubscriptionRef<Live>
    /** each key as it is in force, and where it came from; without secrets */
    readonly report: Ref.Ref<ReadonlyArray<KeyReport>>
    /** what was said, and is not in force */
    readonly unapplied: Ref.Ref<Unapplied>
  }
>()("camera-service/config/Settings") {}

/** For people; without values, which may be secrets. */
export interface Unapplied {
  /** why the file, as it is now, is refused */
  readonly refused: ReadonlyArray<string>
  /** keys that are another at the next start */
  readonly waiting: ReadonlyArray<string>
  /** of variables that are no keys */
  readonly ignored: ReadonlyArray<string>
}

/** What is in force at this moment: read where it is needed, not kept. */
export const liveNow = ({ live }: Settings["Service"]): Live => SubscriptionRef.getUnsafe(live)

/** What a record says; what it leaves out has its default. */
export const decodeRecord = Effect.fnUntraced(function* (record: Readonly<Record<string, unknown>>) {
  const whole = { ...Object.fromEntries([...sections].map((name) => [name, {}])), ...record }
  const boot = yield* Schema.decodeUnknownEffect(bootSchema)(whole)
  const live = yield* Schema.decodeUnknownEffect(liveSchema)(whole)
  return { boot, live }
})

interface Beginning {
  readonly boot: Boot
  readonly live: Live
  readonly report: ReadonlyArray<KeyReport>
  readonly warnings: ReadonlyArray<string>
}

/** The settings that begin so. */
export const settingsOf = Effect.fnUntraced(function* ({ boot, live, report, warnings }: Beginning) {
  return Settings.of({
    boot,
    live: yield* SubscriptionRef.make(live),
    report: yield* Ref.make(report),
    unapplied: yield* Ref.make<Unapplied>({ refused: [], waiting: [], ignored: warnings })
  })
})

/** The settings that a record says, as a file would. */
export const makeSettings = Effect.fnUntraced(function* (record: Readonly<Record<string, unknown>>) {
  const decoded = yield* decodeRecord(record)
  const isSaid = (key: string): boolean => {
    const [section = "", inner] = key.split(".")
    const said = record[section]
    return inner === undefined ? said !== undefined : Predicate.isObject(said) && inner in said
  }
  const report = reportOf(valuesOf(decoded), (key) => (isSaid(key) ? "file" : "default"))
  return yield* settingsOf({ ...decoded, report, warnings: [] })
})
