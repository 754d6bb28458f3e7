import type { TopicEvent } from "../../../schema/Event.ts"
import { clockTime, plural } from "../format.ts"
import type { LoggedEvent } from "../session/EventLog.ts"
import { type Component, faultWords, partNames, saidIn, serviceWords, statusWords } from "../words.ts"

interface Row extends LoggedEvent {
  /** of the oldest of them: a row that grows is the same one */
  readonly id: number
  readonly words: string
  /** what a program of the service said itself, for those who know it */
  readonly detail: string | undefined
  /** so many events, one after the other, that say the same; the newest of them is told */
  readonly count: number
}

/** What has happened, newest first: a camera that is tried again and again fills no page. */
export const inRows = (logged: ReadonlyArray<LoggedEvent>): ReadonlyArray<Row> => {
  const rows: Array<Row> = []
  for (const { event, id } of logged) {
    const { detail, words } = saidIn(wordsOf(event))
    const last = rows.at(-1)
    if (last?.words === words && last.event.topic === event.topic && deviceOf(last.event) === deviceOf(event)) {
      rows[rows.length - 1] = { ...last, id, count: last.count + 1 }
    } else rows.push({ event, id, words, detail, count: 1 })
  }
  return rows
}

const deviceOf = (event: TopicEvent): string => ("device" in event ? event.device : "")

/** What it is called, for people. */
export const topicWords: Readonly<Record<TopicEvent["topic"], string>> = {
  "camera.connected": "Camera connected",
  "camera.disconnected": "Camera gone",
  "camera.removed": "Camera removed",
  "camera.status_change": "Camera state",
  "recording.start": "Recording started",
  "recording.stop": "Recording stopped",
  "recording.error": "Recording trouble",
  "snapshot.taken": "Snapshot taken",
  "system.health": "Health",
  "system.startup": "Service started",
  "system.shutdown": "Service ends",
  "system.notifications_lost": "Not all was told",
  telemetry: "Place of the camera",
  "discovery.progress": "Search for cameras"
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
      const reasons =
        event.data.reasons ?? parts.map(([part, state]) => `${partNames[part as Component]}: ${state.toLowerCase()}`)
      return [serviceWords[event.data.status], ...reasons].join(" · ")
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
