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

/** More at once nobody reads. */
const most = 4
const readingTime = { done: 5000, failed: 15_000 } as const

export const dismiss = (id: number): void => void (notices.value = notices.peek().filter((notice) => notice.id !== id))

export const say = (notice: Omit<Notice, "id">, lasting: number = readingTime[notice.kind]): number => {
  const id = ++count
  notices.value = [...notices.peek().slice(1 - most), { ...notice, id }]
  setTimeout(() => dismiss(id), lasting)
  return id
}

/** Does something for the user, who is told what came of it. */
export const act = <A, E>(effect: Effect.Effect<A, E>, done: (value: A) => string | undefined): Promise<void> =>
  Effect.runPromise(
    Effect.matchCause(effect, {
      onFailure: (cause) => {
        const [reason] = cause.reasons
        const error =
          reason?._tag === "Fail" ? reason.error : reason?._tag === "Die" ? reason.defect : "It was given up"
        say({ kind: "failed", ...troubleOf(error) })
      },
      onSuccess: (value) => {
        const what = done(value)
        if (what !== undefined) say({ kind: "done", what })
      }
    })
  )
