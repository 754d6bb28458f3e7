import { useSignal } from "@preact/signals"
import * as Effect from "effect/Effect"
import { type ApiKeyList, type Role, roles } from "../../../schema/Auth.ts"
import { useConsole } from "../Context.ts"
import { copy } from "../copy.ts"
import { when } from "../format.ts"
import { type Asked, useAsked } from "../hooks.ts"
import { act } from "../notices.ts"
import { Button } from "../parts/Button.tsx"
import { Confirmed } from "../parts/Confirmed.tsx"
import { Shown } from "../parts/Shown.tsx"

interface NewKey {
  readonly id: string
  readonly text: string
}

/** API keys and viewing keys: made, shown once, replaced, revoked. */
export const Keys = () => {
  const { session } = useConsole()
  const asked = useAsked((call) => call.list_api_keys({}), [])
  const made = useSignal<NewKey | undefined>(undefined)
  const show = (id: string, text: string) => {
    made.value = { id, text }
    asked.again()
  }
  const rotate = (key_id: string) =>
    act(
      Effect.map(
        session.ask((call) => call.rotate_api_key({ key_id })),
        ({ api_key, key_id: next }) => show(next, api_key)
      ),
      () => `${key_id} is replaced by a new key.`
    )
  const revoke = (key_id: string) =>
    act(
      Effect.tap(
        session.ask((call) => call.revoke_api_key({ key_id })),
        () => Effect.sync(asked.again)
      ),
      () => `${key_id} is revoked, and what it had opened is closed.`
    )
  return (
    <section class="card" aria-labelledby="keysTitle">
      <h2 id="keysTitle">Keys</h2>
      <KeyForm show={show} />
      {made.value === undefined ? undefined : (
        <div class="newKey" role="status">
          <p>The key {made.value.id}. It is shown this once: copy it now.</p>
          <code>{made.value.text}</code>
          <Button icon="copy" label="Copy the key" onPress={() => void copy(made.value?.text ?? "")}>
            Copy
          </Button>
          <Button icon="check" label="Done with the key" onPress={() => void (made.value = undefined)}>
            I have it
          </Button>
        </div>
      )}
      <KeyTable asked={asked} rotate={rotate} revoke={revoke} />
    </section>
  )
}

const KeyTable = ({
  asked,
  revoke,
  rotate
}: {
  readonly asked: Asked<typeof ApiKeyList.Type>
  readonly rotate: (id: string) => void
  readonly revoke: (id: string) => void
}) => (
  <Shown asked={asked}>
    {({ keys }) =>
      keys.length === 0 ? (
        <p class="advice">There is no key yet.</p>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="List of keys">
          <table class="keys">
            <caption class="unseen">Keys, newest first</caption>
            <thead>
              <tr>
                <th scope="col">Key</th>
                <th scope="col">Role</th>
                <th scope="col">Made</th>
                <th scope="col">Expires</th>
                <th scope="col">Last used</th>
                <th scope="col">
                  <span class="unseen">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {keys.map((key) => (
                <tr key={key.key_id} class={key.status === "ACTIVE" ? "" : "past"}>
                  <th scope="row">
                    <code>{key.key_id}</code>
                    <span class="facts">{key.description ?? ""}</span>
                  </th>
                  <td data-label="Role">
                    {key.kind === "viewing" ? "viewing" : key.role}
                    {key.cameras === undefined ? "" : ` · ${key.cameras.join(", ")}`}
                  </td>
                  <td data-label="Made">
                    <Time at={key.created_at} /> by {key.created_by}
                  </td>
                  <td data-label="Expires">
                    {key.status === "ACTIVE" ? <Time at={key.expires_at} /> : key.status.toLowerCase()}
                  </td>
                  <td data-label="Last used">{key.last_used === undefined ? "never" : <Time at={key.last_used} />}</td>
                  <td>
                    {key.status === "ACTIVE" ? (
                      <span class="actions">
                        {key.kind === "viewing" ? undefined : (
                          <Confirmed
                            label={`Rotate ${key.key_id}`}
                            ask="Replace it? The old key stops working."
                            run={() => rotate(key.key_id)}
                          >
                            Rotate
                          </Confirmed>
                        )}
                        <Confirmed
                          label={`Revoke ${key.key_id}`}
                          ask="Revoke it? Who uses it is cut off."
                          run={() => revoke(key.key_id)}
                        >
                          Revoke
                        </Confirmed>
                      </span>
                    ) : undefined}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )
    }
  </Shown>
)

const Time = ({ at }: { readonly at: string }) => {
  const { session } = useConsole()
  return <time dateTime={at}>{when(at, session.serverNow())}</time>
}

const isRole = (value: string): value is Role => (roles as ReadonlyArray<string>).includes(value)

const KeyForm = ({ show }: { readonly show: (id: string, text: string) => void }) => {
  const { session } = useConsole()
  const role = useSignal<Role>("viewer")
  const description = useSignal("")
  const days = useSignal("365")
  const make = () =>
    act(
      session
        .ask((call) =>
          call.create_api_key({
            role: role.value,
            expires_in_days: Number(days.value),
            ...(description.value === "" ? {} : { description: description.value })
          })
        )
        .pipe(
          Effect.map(({ api_key, key_id }) => {
            description.value = ""
            show(key_id, api_key)
          })
        ),
      () => undefined
    )
  return (
    <form
      class="inline"
      onSubmit={(event) => {
        event.preventDefault()
        void make()
      }}
    >
      <label>
        Role
        <select
          value={role.value}
          onChange={({ currentTarget: { value } }) => void (isRole(value) ? (role.value = value) : undefined)}
        >
          {roles.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="grow">
        For whom
        <input
          type="text"
          maxLength={256}
          value={description.value}
          onInput={({ currentTarget: { value } }) => void (description.value = value)}
        />
      </label>
      <label>
        Days
        <input
          type="number"
          min="1"
          max="3650"
          required
          value={days.value}
          onInput={({ currentTarget: { value } }) => void (days.value = value)}
        />
      </label>
      <button type="submit" class="button primary">
        Make a key
      </button>
    </form>
  )
}
