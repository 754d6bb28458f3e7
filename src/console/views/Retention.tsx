import { type Signal, useSignal } from "@preact/signals"
import * as Effect from "effect/Effect"
import type { RetentionPolicy } from "../../../schema/Storage.ts"
import { useConsole } from "../Context.ts"
import { bytes, plural } from "../format.ts"
import { useAsked } from "../hooks.ts"
import { act } from "../notices.ts"
import { CameraChoice } from "../parts/CameraChoice.tsx"
import { Confirmed } from "../parts/Confirmed.tsx"
import { Shown } from "../parts/Shown.tsx"
import { sentence } from "../words.ts"

/** What is deleted, as `set_retention_policy` takes it: by itself one limit counts, when somebody asks for it both do. */
const kinds = {
  age: "what is older than",
  size: "the oldest beyond",
  manual: "only when asked to",
  never: "nothing, not even when asked to"
} as const
type Kind = keyof typeof kinds

const isKind = (value: string): value is Kind => Object.hasOwn(kinds, value)

interface Rule {
  readonly kind: Kind
  /** as they are written into the form; empty: no such limit */
  readonly days: string
  readonly gigabytes: string
}

const ruleOf = (days: number | undefined, gigabytes: number | undefined): Rule => ({
  kind: days !== undefined ? "age" : gigabytes !== undefined ? "size" : "manual",
  days: String(days ?? ""),
  gigabytes: String(gigabytes ?? "")
})

const hasDays = (kind: Kind): boolean => kind === "age" || kind === "manual"
const hasSize = (kind: Kind): boolean => kind === "size" || kind === "manual"

const policyOf = ({ days, gigabytes, kind }: Rule): RetentionPolicy => ({
  policy_type: kind === "never" ? "manual" : kind,
  enabled: kind !== "never",
  ...(hasDays(kind) && days !== "" ? { max_age_days: Number(days) } : {}),
  ...(hasSize(kind) && gigabytes !== "" ? { max_size_gb: Number(gigabytes) } : {})
})

/** What is deleted by itself, and when it is asked for. */
export const Retention = () => {
  const storage = useAsked((call) => call.get_storage_info({}), [])
  return (
    <section class="card" aria-labelledby="retentionTitle">
      <h2 id="retentionTitle">Retention</h2>
      <Shown asked={storage}>
        {({ max_age_days, max_size_gb, recordings_size, retention, snapshots_size }) => (
          <>
            <p>
              {sentence(retention ?? "Nothing is deleted by itself")} Recordings take {bytes(recordings_size)},
              snapshots {bytes(snapshots_size)}.
            </p>
            {max_age_days === undefined || max_size_gb === undefined ? undefined : (
              <p class="advice">
                Both limits stand in the configuration. A rule that is saved here takes their place, and is one limit.
              </p>
            )}
            <RuleForm inForce={ruleOf(max_age_days, max_size_gb)} again={storage.again} />
          </>
        )}
      </Shown>
    </section>
  )
}

const RuleForm = ({ again, inForce }: { readonly inForce: Rule; readonly again: () => void }) => {
  const { session } = useConsole()
  const device = useSignal("")
  const kind = useSignal(inForce.kind)
  const days = useSignal(inForce.days)
  const gigabytes = useSignal(inForce.gigabytes)
  const save = () =>
    act(
      session
        .ask((call) =>
          call.set_retention_policy({
            ...policyOf({ kind: kind.value, days: days.value, gigabytes: gigabytes.value }),
            ...(device.value === "" ? {} : { device: device.value })
          })
        )
        .pipe(Effect.tap(() => Effect.sync(again))),
      ({ message }) => sentence(message)
    )
  const clean = () =>
    act(
      session.ask((call) => call.cleanup_old_files({})).pipe(Effect.tap(() => Effect.sync(again))),
      ({ files_deleted, message, space_freed }) =>
        `${message} (${plural(files_deleted, "file")}, ${bytes(space_freed)})`
    )
  return (
    <form
      class="inline"
      onSubmit={(event) => {
        event.preventDefault()
        void save()
      }}
    >
      <CameraChoice device={device} />
      <label>
        Delete
        <select
          value={kind.value}
          onChange={({ currentTarget: { value } }) => void (isKind(value) ? (kind.value = value) : undefined)}
        >
          {Object.entries(kinds).map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      </label>
      {hasDays(kind.value) ? <Amount name="Days" kind={kind.value} amount={days} /> : undefined}
      {hasSize(kind.value) ? <Amount name="GB" kind={kind.value} amount={gigabytes} /> : undefined}
      <button type="submit" class="button primary">
        Save
      </button>
      <Confirmed label="Clean up now" ask="Delete now what the rule above lets go?" run={() => void clean()}>
        Clean up now
      </Confirmed>
      {kind.value === "manual" ? (
        <p class="advice">
          A cleanup deletes what is older than so many days, and the oldest beyond so many GB; with neither, what the
          configuration says.
        </p>
      ) : undefined}
    </form>
  )
}

/** One limit; where several may be set, none has to be. */
const Amount = ({
  amount,
  kind,
  name
}: {
  readonly name: string
  readonly kind: Kind
  readonly amount: Signal<string>
}) => (
  <label>
    {name}
    <input
      type="number"
      min="0.1"
      max="1000000"
      step="any"
      required={kind !== "manual"}
      value={amount.value}
      onInput={({ currentTarget: { value } }) => void (amount.value = value)}
    />
  </label>
)
