import { dismiss, notices } from "../notices.ts"
import { Button } from "./Button.tsx"
import { Icon } from "./Icon.tsx"

/** What came of what was done, in a corner; read out as it comes. */
export const Notices = () => (
  <div class="notices" role="status" aria-live="polite">
    {notices.value.map(({ action, advice, id, kind, what }) => (
      <div key={id} class={`notice ${kind}`}>
        <Icon name={kind === "done" ? "check" : "warn"} />
        <p>
          {what} {advice === undefined ? undefined : <span class="advice">{advice}</span>}
        </p>
        {action === undefined ? undefined : (
          <Button label={action.label} kind="quiet" onPress={action.run}>
            {action.label}
          </Button>
        )}
        <Button icon="close" label="Dismiss" kind="quiet" onPress={() => dismiss(id)} />
      </div>
    ))}
  </div>
)
