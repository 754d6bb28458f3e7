import { useSignal } from "@preact/signals"
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
  if (!isAsking.value) {
    return (
      <Button label={label} onPress={() => void (isAsking.value = true)}>
        {children}
        {children === label ? undefined : <span class="unseen">{label.slice(children.length)}</span>}
      </Button>
    )
  }
  return (
    <span class="confirm" role="group" aria-label={label}>
      {ask}
      <Button
        label={`Yes: ${label}`}
        kind="danger"
        onPress={() => {
          isAsking.value = false
          run()
        }}
      >
        {children}
      </Button>
      <Button label="No" onPress={() => void (isAsking.value = false)}>
        No
      </Button>
    </span>
  )
}
