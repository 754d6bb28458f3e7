import { signal } from "@preact/signals"
import * as Effect from "effect/Effect"
import { type Trouble, troubleOf } from "./words.ts"

/** What an action has come to, told where everybody sees and hears it. */
export interface Notice extends Trouble {
  readonly id: number
  readonly kind: "done" | "failed"
  readonly action?: { readonly label: string; readonly run: () => void } | undefined
}

export const notices = signal<ReadonlyArray<Notice>>([])
let count = 0

/** More at once nobody reads; what can be taken back stays for its time. */
const most = 4
/** Where there is something to press. */
export const choosingTime = 10_000
const readingTime = { done: 5000, failed: 15_000 } as const

export const dismiss = (id: number): void => void (notices.value = notices.peek().filter((notice) => notice.id !== id))

export const say = (notice: Omit<Notice, "id">, lasting: number = readingTime[notice.kind]): number => {
  const id = ++count
  const passing = notices.peek().filter((one) => !isUndo(one))
  const gone = isUndo(notice) ? [] : passing.slice(0, 1 - most)
  notices.value = [...notices.peek().filter((one) => !gone.includes(one)), { ...notice, id }]
  setTimeout(() => dismiss(id), lasting)
  return id
}

export const undo = "Undo"
const isUndo = ({ action }: Pick<Notice, "action">): boolean => action?.label === undo

/** Does what a notice offers, which it then does no more. */
export const take = ({ action, id }: Notice): void => {
  dismiss(id)
  action?.run()
}

/** Takes back what was done last, where that can be. */
export const undoLast = (): boolean => {
  const last = notices.peek().findLast(isUndo)
  if (last !== undefined) take(last)
  return last !== undefined
}

/** What is told when it is done: words, and what the user may want to do then. */
type Done = string | Pick<Notice, "what" | "action"> | undefined

/** Does something for the user, who is told what came of it. */
export const act = <A, E>(effect: Effect.Effect<A, E>, done: (value: A) => Done): Promise<void> =>
  Effect.runPromise(
    Effect.matchCause(effect, {
      onFailure: (cause) => {
        const [reason] = cause.reasons
        const error =
          reason?._tag === "Fail" ? reason.error : reason?._tag === "Die" ? reason.defect : "It was given up"
        say({ kind: "failed", ...troubleOf(error) })
      },
      onSuccess: (value) => {
        const told = done(value)
        if (typeof told === "string") say({ kind: "done", what: told })
        else if (told !== undefined) say({ kind: "done", ...told }, choosingTime)
      }
    })
  )
