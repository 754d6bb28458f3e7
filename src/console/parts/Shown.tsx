import type { ComponentChildren, VNode } from "preact"
import { useConsole } from "../Context.ts"
import type { Asked } from "../hooks.ts"
import type { Trouble } from "../words.ts"
import { Button } from "./Button.tsx"
import { Icon, type IconName } from "./Icon.tsx"

/** What was asked for, in each of its states. */
export const Shown = <A,>({
  asked,
  children
}: {
  readonly asked: Asked<A>
  readonly children: (value: A) => VNode
}) => {
  const { session } = useConsole()
  const phase = session.phase.value._tag
  const state = asked.state.value
  switch (state._tag) {
    case "Loading":
      return (
        <p class="loading" role="status">
          {phase === "Lost" ? "Waits for the service…" : phase === "Expired" ? "Waits for your login…" : "Loading…"}
        </p>
      )
    case "Failed":
      return <Failed trouble={state.trouble} again={asked.again} />
    case "Loaded":
      return children(state.value)
  }
}

export const Failed = ({ again, trouble }: { readonly trouble: Trouble; readonly again: () => void }) => (
  <div class="empty failed" role="alert">
    <Icon name="warn" />
    <p>{trouble.what}</p>
    {trouble.advice === undefined ? undefined : <p class="advice">{trouble.advice}</p>}
    <Button label="Try again" icon="reset" onPress={again}>
      Try again
    </Button>
  </div>
)

/** There is nothing, which is no failure: what it would be, and how it comes. */
export const Empty = ({ children, icon }: { readonly icon: IconName; readonly children: ComponentChildren }) => (
  <div class="empty">
    <Icon name={icon} />
    {children}
  </div>
)
