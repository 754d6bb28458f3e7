import { useEffect, useRef } from "preact/hooks"
import { dismiss, type Notice, notices, take, undoLast } from "../notices.ts"
import { Button } from "./Button.tsx"
import { Icon } from "./Icon.tsx"

/** What came of what was done, in a corner; read out as it comes. Ctrl+Z undoes, wherever the focus is but in a text. */
export const Notices = () => {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const isUndo = event.key === "z" && (event.ctrlKey || event.metaKey) && !event.shiftKey
      const isText = event.target instanceof Element && event.target.closest("input, textarea") !== null
      if (isUndo && !isText && undoLast()) event.preventDefault()
    }
    addEventListener("keydown", press)
    return () => removeEventListener("keydown", press)
  }, [])
  const corner = useRef<HTMLDivElement>(null)
  const newest = notices.value.at(-1)?.id
  useEffect(() => corner.current?.scrollTo(0, corner.current.scrollHeight), [newest])
  return (
    <div ref={corner} class="notices" role="status" aria-live="polite">
      {notices.value.map((notice) => (
        <One key={notice.id} notice={notice} />
      ))}
    </div>
  )
}

const One = ({ notice }: { readonly notice: Notice }) => {
  const { action, advice, id, kind, what } = notice
  return (
    <div class={`notice ${kind}`}>
      <Icon name={kind === "done" ? "check" : "warn"} />
      <p>
        {what} {advice === undefined ? undefined : <span class="advice">{advice}</span>}
      </p>
      {action === undefined ? undefined : (
        <Button label={action.label} onPress={() => take(notice)}>
          {action.label}
        </Button>
      )}
      <Button icon="close" label="Dismiss" kind="quiet" onPress={() => dismiss(id)} />
    </div>
  )
}
