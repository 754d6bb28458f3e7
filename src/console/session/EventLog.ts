import { type ReadonlySignal, signal } from "@preact/signals"
import type { TopicEvent } from "../../../schema/Event.ts"
import type { Session } from "./Session.ts"

export interface LoggedEvent {
  readonly id: number
  readonly event: TopicEvent
}

/** As many are kept; a page that stays open for weeks keeps no more. */
const most = 500

const log = signal<ReadonlyArray<LoggedEvent>>([])
let count = 0

/** What has happened while the page was open, newest first. */
export const events: ReadonlySignal<ReadonlyArray<LoggedEvent>> = log

/** Changes with each event of this topic. */
export const newestEvent = (topic: TopicEvent["topic"]): number =>
  log.value.find(({ event }) => event.topic === topic)?.id ?? 0

export const followEvents = (session: Session): void => {
  session.listen((told) => {
    if (told.method === "event") log.value = [{ id: ++count, event: told.params }, ...log.peek().slice(0, most - 1)]
  })
  session.account.subscribe((account) => {
    if (account === undefined) log.value = []
  })
}
