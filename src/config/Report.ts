import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { type Boot, bootSchema } from "./BootSettings.ts"
import { type Changes, keys, sections, masked } from "./Keys.ts"
import { type Live, liveSchema } from "./LiveSettings.ts"

/** Where a value came from. */
export type ValueSource = "default" | "file" | "environment"

/** One key as it is in force; `value` is as a file has it, "***" for a secret. */
export interface KeyReport {
  readonly key: string
  readonly value: unknown
  readonly source: ValueSource
  readonly changes: Changes
}

/** Every key's value, as a file has it: secrets too. */
export const valuesOf = ({ boot, live }: { readonly boot: Boot; readonly live: Live }): ReadonlyMap<string, unknown> =>
  new Map([...flatten(Schema.encodeSync(bootSchema)(boot)), ...flatten(Schema.encodeSync(liveSchema)(live))])

export const reportOf = (
  values: ReadonlyMap<string, unknown>,
  sourceOf: (key: string) => ValueSource
): ReadonlyArray<KeyReport> =>
  keys.map(({ changes, key }) => ({ key, value: masked(key, values.get(key)), source: sourceOf(key), changes }))

const flatten = (record: object): ReadonlyArray<readonly [string, unknown]> =>
  Object.entries(record).flatMap(([name, value]: [string, unknown]) =>
    sections.has(name) && Predicate.isObject(value)
      ? Object.entries(value).map(([inner, leaf]) => [`${name}.${inner}`, leaf] as const)
      : [[name, value] as const]
  )
