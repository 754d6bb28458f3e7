import { useSignal } from "@preact/signals"
import * as Effect from "effect/Effect"
import { useConsole } from "../Context.ts"
import { bytes, plural } from "../format.ts"
import { useAsked } from "../hooks.ts"
import { act } from "../notices.ts"
import { Confirmed } from "../parts/Confirmed.tsx"
import { Shown } from "../parts/Shown.tsx"
import { sentence } from "../words.ts"

interface Rule {
  readonly kind: "age" | "size" | "manual"
  /** days or GB, as it is written into the form */
  readonly amount: string
}

/** As a rule is set: one limit. The sentence above tells of others. */
const ruleOf = (days: number | undefined, gigabytes: number | undefined): Rule => {
  if (days !== undefined) return { kind: "age", amount: String(days) }
  return gigabytes === undefined ? { kind: "manual", amount: "30" } : { kind: "size", amount: String(gigabytes) }
}

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
            <RuleForm inForce={ruleOf(max_age_days, max_size_gb)} again={storage.again} />
          </>
        )}
      </Shown>
    </section>
  )
}

const RuleForm = ({ again, inForce }: { readonly inForce: Rule; readonly again: () => void }) => {
  const { session } = useConsole()
  const kind = useSignal(inForce.kind)
  const amount = useSignal(inForce.amount)
  const save = () =>
    act(
      session
        .ask((call) =>
          call.set_retention_policy({
            policy_type: kind.value,
            enabled: true,
            ...(kind.value === "age" ? { max_age_days: Number(amount.value) } : {}),
            ...(kind.value === "size" ? { max_size_gb: Number(amount.value) } : {})
          })
        )
        .pipe(Effect.tap(() => Effect.sync(again))),
      ({ message }) => message
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
      <label>
        Delete
        <select
          value={kind.value}
          onChange={({ currentTarget: { value } }) => {
            kind.value = value === "size" ? "size" : value === "manual" ? "manual" : "age"
          }}
        >
          <option value="age">what is older than</option>
          <option value="size">the oldest beyond</option>
          <option value="manual">only when asked to</option>
        </select>
      </label>
      {kind.value === "manual" ? undefined : (
        <label>
          {kind.value === "age" ? "Days" : "GB"}
          <input
            type="number"
            min="0.1"
            step="any"
            required
            value={amount.value}
            onInput={({ currentTarget: { value } }) => void (amount.value = value)}
          />
        </label>
      )}
      <button type="submit" class="button primary">
        Save
      </button>
      <Confirmed label="Clean up now" ask="Delete now what the rule above lets go?" run={() => void clean()}>
        Clean up now
      </Confirmed>
    </form>
  )
}
