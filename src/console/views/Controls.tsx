import { useSignal } from "@preact/signals"
import * as Effect from "effect/Effect"
import type { Control } from "../../../schema/Control.ts"
import { useConsole } from "../Context.ts"
import { useAsked } from "../hooks.ts"
import { act } from "../notices.ts"
import { Button } from "../parts/Button.tsx"
import { Shown } from "../parts/Shown.tsx"

type Value = number | boolean | string

/** The device's own controls; they follow it, whoever turns them. */
export const Controls = ({ device }: { readonly device: string }) => {
  const { session } = useConsole()
  const asked = useAsked((call) => call.get_camera_controls({ device }), [device], 2000)
  const mayNot = session.has("operator") ? undefined : "Setting a control needs the operator role."
  const put = (now: Control) => {
    const state = asked.state.peek()
    if (state._tag !== "Loaded") return
    const { controls } = state.value
    asked.state.value = { _tag: "Loaded", value: { controls: controls.map((one) => (one.id === now.id ? now : one)) } }
  }
  const set = (control: Control, value: Value | undefined) =>
    act(
      session
        .ask((call) => call.set_camera_control({ device, id: control.id, ...(value === undefined ? {} : { value }) }))
        .pipe(
          Effect.tap((now) => Effect.sync(() => put(now))),
          Effect.ensuring(Effect.sync(asked.again))
        ),
      () => undefined
    )
  return (
    <section class="card" aria-labelledby="controlsTitle">
      <h2 id="controlsTitle">Controls</h2>
      <Shown asked={asked}>
        {({ controls }) =>
          controls.length === 0 ? (
            <p class="advice">This camera has no controls.</p>
          ) : (
            <div class="controls">
              {mayNot === undefined ? undefined : <p class="advice">{mayNot}</p>}
              {controls.map((control) => (
                <ControlField
                  key={control.id}
                  control={control}
                  why={mayNot ?? whyNot(control)}
                  set={(value) => set(control, value)}
                />
              ))}
            </div>
          )
        }
      </Shown>
    </section>
  )
}

/** Why a control cannot be set now; undefined: it can. */
const whyNot = ({ grabbed, inactive, read_only }: Control): string | undefined => {
  if (read_only === true) return "It can only be read."
  if (inactive === true) return "Another control governs it now, such as an automatic one."
  if (grabbed === true) return "It cannot be changed while the camera streams."
  return undefined
}

interface FieldProps {
  readonly control: Control
  readonly why: string | undefined
  readonly set: (value: Value | undefined) => Promise<void>
}

const ControlField = ({ control, set, why }: FieldProps) => {
  const id = `control${control.id}`
  const { default: usual, name, type, value } = control
  const isOff = why !== undefined
  const describedBy = isOff ? `${id}why` : undefined
  const mayReset = value !== null && value !== usual && !isOff
  return (
    <div class="control">
      <label for={id}>{name}</label>
      {type === "integer" ? (
        <NumberField id={id} control={control} isOff={isOff} describedBy={describedBy} set={set} />
      ) : type === "boolean" ? (
        <input
          id={id}
          type="checkbox"
          role="switch"
          checked={value === 1}
          disabled={isOff}
          aria-describedby={describedBy}
          onChange={({ currentTarget }) => set(currentTarget.checked)}
        />
      ) : type === "menu" || type === "integer_menu" ? (
        <select
          id={id}
          value={String(value)}
          disabled={isOff}
          aria-describedby={describedBy}
          onChange={({ currentTarget }) => set(Number(currentTarget.value))}
        >
          {(control.menu ?? []).map((entry) => (
            <option key={entry.value} value={String(entry.value)}>
              {entry.name}
            </option>
          ))}
        </select>
      ) : type === "button" ? (
        <button
          id={id}
          type="button"
          class="button plain"
          disabled={isOff}
          aria-describedby={describedBy}
          onClick={() => set(undefined)}
        >
          Press
        </button>
      ) : (
        <input
          id={id}
          type="text"
          value={value === null ? "" : String(value)}
          disabled={isOff}
          aria-describedby={describedBy}
          onChange={({ currentTarget }) => set(type === "bitmask" ? Number(currentTarget.value) : currentTarget.value)}
        />
      )}
      {type === "button" ? undefined : (
        <Button
          icon="reset"
          label={`Reset ${name} to ${usual}`}
          kind="quiet"
          why={mayReset ? undefined : (why ?? `${name} is as it is by default.`)}
          onPress={() => set(usual)}
        />
      )}
      {isOff ? (
        <p id={`${id}why`} class="why">
          {why}
        </p>
      ) : undefined}
    </div>
  )
}

interface NumberProps extends Omit<FieldProps, "why"> {
  readonly id: string
  readonly isOff: boolean
  readonly describedBy: string | undefined
}

/** A slider and a number for the same; what is typed or dragged stays until the device has it. */
const NumberField = ({ control, describedBy, id, isOff, set }: NumberProps) => {
  const draft = useSignal<string | undefined>(undefined)
  const shown = draft.value ?? String(control.value ?? control.default)
  const bounds = { min: String(control.min), max: String(control.max), step: String(control.step) }
  const settle = async (text: string) => {
    draft.value = text
    const value = Number(text)
    if (text !== "" && Number.isFinite(value) && value !== control.value) await set(value)
    // another one may be on its way
    if (draft.peek() === text) draft.value = undefined
  }
  return (
    <span class="numberField">
      <input
        type="range"
        aria-label={`${control.name}, as a slider`}
        {...bounds}
        value={shown}
        disabled={isOff}
        onInput={({ currentTarget }) => void (draft.value = currentTarget.value)}
        onChange={({ currentTarget }) => settle(currentTarget.value)}
      />
      <input
        id={id}
        type="number"
        {...bounds}
        value={shown}
        disabled={isOff}
        aria-describedby={describedBy}
        onInput={({ currentTarget }) => void (draft.value = currentTarget.value)}
        onChange={({ currentTarget }) => settle(currentTarget.value)}
      />
    </span>
  )
}
