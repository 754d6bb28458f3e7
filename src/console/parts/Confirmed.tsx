import { useSignal } from "@preact/signals"
import { useRef } from "preact/hooks"
import { Button } from "./Button.tsx"

interface Props {
  readonly label: string
  readonly ask: string
  readonly run: () => void
  readonly children: string
}

/** A button that asks once more, for what cannot be undone. */
export const Confirmed = ({ ask, children, label, run }: Props) => {
  const isAsking = useSignal(false)
  const place = useRef<HTMLSpanElement>(null)
  /** The focus is where the question is, on what changes nothing, and then where it was. */
  const turn = (toAsking: boolean) => {
    isAsking.value = toAsking
    requestAnimationFrame(() => place.current?.querySelector<HTMLElement>("button:last-of-type")?.focus())
  }
  if (!isAsking.value) {
    return (
      <span ref={place}>
        <Button label={label} onPress={() => turn(true)}>
          {children}
          {children === label ? undefined : <span class="unseen">{label.slice(children.length)}</span>}
        </Button>
      </span>
    )
  }
  return (
    <span ref={place} class="confirm" role="group" aria-label={label}>
      {ask}
      <Button
        label={`Yes: ${label}`}
        kind="danger"
        onPress={() => {
          turn(false)
          run()
        }}
      >
        {children}
      </Button>
      <Button label="No" onPress={() => turn(false)}>
        No
      </Button>
    </span>
  )
}
