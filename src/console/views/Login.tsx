import { useSignal } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import { useConsole } from "../Context.ts"
import { sentence } from "../words.ts"

/** Asks for a token or a key. `isAgain`: in a page that has shown something already. */
export const Login = ({ isAgain = false }: { readonly isAgain?: boolean }) => {
  const { session } = useConsole()
  const token = useSignal("")
  const field = useRef<HTMLInputElement>(null)
  const phase = session.phase.value
  const isBusy = phase._tag === "Connecting" || phase._tag === "Ready"
  useEffect(() => field.current?.focus(), [])
  const refusal = phase._tag === "LoggedOut" ? phase.reason : undefined

  const form = (
    <form
      class="loginForm"
      onSubmit={(event) => {
        event.preventDefault()
        if (token.value.trim() === "") return field.current?.focus()
        session.login(token.value.trim())
        token.value = ""
      }}
    >
      <label for="token">Token or API key</label>
      <div class="fieldRow">
        <input
          id="token"
          ref={field}
          type="password"
          autocomplete="off"
          spellcheck={false}
          value={token.value}
          aria-describedby={refusal === undefined ? undefined : "refusal"}
          aria-invalid={refusal !== undefined}
          onInput={({ currentTarget }) => void (token.value = currentTarget.value)}
        />
        <button type="submit" class="button primary" aria-disabled={isBusy}>
          {isBusy ? "Connecting…" : "Log in"}
        </button>
      </div>
      {refusal === undefined ? undefined : (
        <p id="refusal" class="refusal" role="alert">
          {sentence(refusal)} Ask for another token, or look whether all of it was copied.
        </p>
      )}
    </form>
  )
  if (isAgain) return form
  return (
    <main class="login">
      <section>
        <h1>Camera service</h1>
        {form}
        {phase._tag === "Lost" ? (
          <p class="refusal" role="status">
            {phase.reason} It is tried again by itself.
          </p>
        ) : undefined}
        <details>
          <summary>Where do I get one?</summary>
          <p>
            On the machine of the service: <code>camera-service token --role operator --link</code> prints a link that
            logs in. Or an administrator makes an API key in this console.
          </p>
          <p>It is kept in this page's memory only: it is asked for again after a reload.</p>
        </details>
      </section>
    </main>
  )
}
