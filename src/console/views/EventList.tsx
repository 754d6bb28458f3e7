import { useSignal } from "@preact/signals"
import type { TopicEvent } from "../../../schema/Event.ts"
import { useConsole } from "../Context.ts"
import { clockTime, plural, when } from "../format.ts"
import { CameraChoice } from "../parts/CameraChoice.tsx"
import { Empty } from "../parts/Shown.tsx"
import { addressOf } from "../routes.ts"
import { events } from "../session/EventLog.ts"
import { faultWords, statusWords } from "../words.ts"

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
          {shown.map(({ event, id }) => (
            <li key={id} class="row">
              <time dateTime={event.timestamp}>
                <Moment event={event} />
              </time>
              <span class={`topic ${toneOf(event)}`}>{event.topic}</span>
              <p class="what">
                {"device" in event ? (
                  <a href={addressOf({ view: "camera", device: event.device })}>{event.device}</a>
                ) : undefined}{" "}
                {wordsOf(event)}
              </p>
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

/** What an event says beside its topic and its camera. */
const wordsOf = (event: TopicEvent): string => {
  switch (event.topic) {
    case "camera.connected":
    case "camera.disconnected":
    case "camera.status_change": {
      const { fault, name, status } = event.data
      return `${name}: ${fault === undefined ? statusWords[status] : `${faultWords[fault.kind]} (${fault.detail})`}`
    }
    case "recording.start":
      return event.data.filename
    case "recording.stop":
      return `${event.data.filename}, ${clockTime(event.data.duration)}`
    case "recording.error":
      return event.data.reason ?? event.data.filename
    case "snapshot.taken":
      return `${event.data.filename} (${event.data.tier_name})`
    case "system.health": {
      const parts = Object.entries(event.data.components).filter(([, state]) => state !== "RUNNING")
      const reasons = event.data.reasons ?? parts.map(([part, state]) => `${part} ${state}`)
      return [event.data.status, ...reasons].join(" · ")
    }
    case "system.startup":
      return `Version ${event.data.version} is ready`
    case "telemetry": {
      const { platform_designation, sensor_latitude_deg, sensor_longitude_deg } = event.data.values
      const isKnown = sensor_latitude_deg !== undefined && sensor_longitude_deg !== undefined
      const place = isKnown
        ? `at ${sensor_latitude_deg.toFixed(5)}°, ${sensor_longitude_deg.toFixed(5)}°`
        : "tells no place"
      return [platform_designation, place].filter((part) => part !== undefined).join(" ")
    }
    case "discovery.progress":
      return `${event.data.looked} of ${event.data.total} looked at, ${plural(event.data.found, "stream")} found`
    case "system.shutdown":
      return "The service ends"
    case "system.notifications_lost":
      return `${plural(event.data.lost, "notification")} did not get here: this page read too slowly`
  }
}
