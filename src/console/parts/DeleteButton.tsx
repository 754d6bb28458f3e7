import { signal } from "@preact/signals"
import * as Effect from "effect/Effect"
import type { FileEntry } from "../../../schema/Storage.ts"
import { useConsole } from "../Context.ts"
import { act, choosingTime, say, undo } from "../notices.ts"
import { Button, roleNeeded } from "./Button.tsx"

/** The files that are deleted as soon as it cannot be undone any more. */
const leaving = signal<ReadonlyMap<string, number>>(new Map())
export const isLeaving = (filename: string): boolean => leaving.value.has(filename)

/** The focus does not go with what is taken away: it is on the next one's button then. */
const handOnFocus = (): void => {
  const item = document.activeElement?.closest("li") ?? null
  if (item === null) return
  const next = (item.nextElementSibling ?? item.previousElementSibling)?.querySelector<HTMLElement>(".actions button")
  const other = next ?? document.querySelector<HTMLElement>("#content")
  other?.focus({ preventScroll: true })
}

/** Takes the file out of sight, and deletes it when 10 s have passed without an undo; a page that is closed deletes nothing. */
export const DeleteButton = ({
  file: { filename },
  kind
}: {
  readonly file: FileEntry
  readonly kind: "recording" | "snapshot"
}) => {
  const { session } = useConsole()
  const stay = () => {
    const next = new Map(leaving.peek())
    next.delete(filename)
    leaving.value = next
  }
  const remove = () => {
    const timer = window.setTimeout(async () => {
      await act(
        session
          .ask((call) =>
            kind === "recording" ? call.delete_recording({ filename }) : call.delete_snapshot({ filename })
          )
          // one that could not be deleted is back in the list
          .pipe(Effect.tapError(() => Effect.sync(stay))),
        () => undefined
      )
    }, choosingTime)
    handOnFocus()
    leaving.value = new Map(leaving.peek()).set(filename, timer)
    say(
      {
        kind: "done",
        what: `${filename} is deleted in 10 s.`,
        action: {
          label: undo,
          run: () => {
            clearTimeout(timer)
            stay()
            say({ kind: "done", what: `${filename} stays.` })
          }
        }
      },
      choosingTime
    )
  }
  return (
    <Button
      icon="trash"
      label={`Delete ${filename}`}
      kind="quiet"
      why={roleNeeded(session.has("operator"), "operator")}
      onPress={remove}
    />
  )
}
