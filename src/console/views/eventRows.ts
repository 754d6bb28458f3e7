import type { TopicEvent } from "../../../schema/Event.ts"
import { clockTime, plural } from "../format.ts"
import type { LoggedEvent } from "../session/EventLog.ts"
import { faultWords, statusWords } from "../words.ts"

interface Row extends LoggedEvent {
  readonly words: string
  /** so many events, one after the other, that say the same; the newest of them is told */
  readonly count: number
}

/** What has happened, newest first: a camera that is tried again and again fills no page. */
export const inRows = (logged: ReadonlyArray<LoggedEvent>): ReadonlyArray<Row> => {
  const rows: Array<Row> = []
  for (const { event, id } of logged) {
    const words = wordsOf(event)
    const last = rows.at(-1)
    if (last?.words === words && last.event.topic === event.topic && deviceOf(last.event) === deviceOf(event)) {
      rows[rows.length - 1] = { ...last, count: last.count + 1 }
    } else rows.push({ event, id, words, count: 1 })
  }
  return rows
}

const deviceOf = (event: TopicEvent): string => ("device" in event ? event.device : "")

/** What an event says beside its topic and its camera. */
const wordsOf = (event: TopicEvent): string => {
  switch (event.topic) {
    case "camera.connected":
    case "camera.disconnected":
    case "camera.status_change": {
      const { fault, name, status } = event.data
      return `${name}: ${fault === undefined ? statusWords[status] : `${faultWords[fault.kind]} (${fault.detail})`}`
    }
    case "camera.removed":
      return event.data.name
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
