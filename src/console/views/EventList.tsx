import { useSignal } from "@preact/signals"
import type { TopicEvent } from "../../../schema/Event.ts"
import { useConsole } from "../Context.ts"
import { when } from "../format.ts"
import { CameraChoice } from "../parts/CameraChoice.tsx"
import { Details } from "../parts/Details.tsx"
import { Empty } from "../parts/Shown.tsx"
import { addressOf } from "../routes.ts"
import { events } from "../session/EventLog.ts"
import { inRows, topicWords } from "./eventRows.ts"

const families = ["camera", "recording", "snapshot", "system"] as const

/** What happens, as it comes. */
export const EventList = () => {
  const device = useSignal("")
  const family = useSignal("")
  const shown = events.value.filter(
    ({ event }) =>
      event.topic.startsWith(family.value) &&
      (device.value === "" || ("device" in event && event.device === device.value))
  )
  return (
    <>
      <div class="toolbar">
        <CameraChoice device={device} />
        <label class="choice">
          <span class="word">Kind</span>
          <select value={family.value} onChange={({ currentTarget: { value } }) => void (family.value = value)}>
            <option value="">All kinds</option>
            {families.map((name) => (
              <option key={name} value={`${name}.`}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </div>
      {shown.length === 0 ? (
        <Empty icon="list">
          <p>
            {events.value.length === 0
              ? "Nothing has happened since this page was opened."
              : "Nothing of this kind has happened."}
          </p>
          <p class="advice">Events appear here as they come; the page keeps the newest 500.</p>
        </Empty>
      ) : (
        <ol class="rows events" aria-label="Events, newest first">
          {inRows(shown).map(({ count, detail, event, id, words }) => (
            <li key={id} class="row">
              <time dateTime={event.timestamp}>
                <Moment event={event} />
              </time>
              <span class={`topic ${toneOf(event)}`} title={event.topic}>
                {topicWords[event.topic]}
              </span>
              <div class="what">
                <p>
                  {"device" in event ? (
                    <a href={addressOf({ view: "camera", device: event.device })}>{event.device}</a>
                  ) : undefined}{" "}
                  {words}
                </p>
                {detail === undefined ? undefined : (
                  <Details name="What FFmpeg said">
                    <p>{detail}</p>
                  </Details>
                )}
              </div>
              {count > 1 ? <span class="count">{count}×</span> : undefined}
            </li>
          ))}
        </ol>
      )}
    </>
  )
}

/** When it happened: of a camera, with what was recorded then behind it. */
const Moment = ({ event }: { readonly event: TopicEvent }) => {
  const { session } = useConsole()
  const words = when(event.timestamp, session.serverNow())
  if (!("device" in event)) return <>{words}</>
  const { device, timestamp } = event
  return (
    <a
      href={addressOf({ view: "recordings", device, at: Date.parse(timestamp) })}
      title={`What was recorded of ${device} then`}
    >
      {words}
    </a>
  )
}

const toneOf = (event: TopicEvent): "bad" | "fair" | "plain" => {
  if (event.topic === "recording.error" || event.topic === "camera.disconnected") return "bad"
  if (event.topic === "camera.status_change" && event.data.status === "ERROR") return "bad"
  if (event.topic === "system.health" && event.data.status !== "HEALTHY") return "fair"
  return "plain"
}
