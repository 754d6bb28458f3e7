import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type TopicEvent, topicFamilies } from "../../schema/Event.ts"
import type { ServiceStatus } from "../../schema/System.ts"
import type { Origin } from "../config/Load.ts"
import { untilCut } from "./Following.ts"
import type { PrintOn } from "./Output.ts"
import { connect } from "./Remote.ts"
import { type Request, told } from "./Shell.ts"

/** All that happens, as it comes, until it is interrupted or the service says no. */
export const watch = Effect.fnUntraced(function* (
  { isJson, place, print, tell }: Pick<Request, "isJson" | "place" | "tell"> & { readonly print: PrintOn },
  from: Origin
) {
  const client = yield* connect(place, "viewer", from)
  const { call, notifications, onEachConnection } = client
  const lineOf = lines()
  yield* told(onEachConnection(call.subscribe_events({ topics: topicFamilies })))
  const telling = Stream.runForEach(notifications, ({ method, params }) => {
    if (method !== "event") return Effect.void
    const line = isJson ? `${JSON.stringify(params)}\n` : lineOf(params)
    return line === undefined ? Effect.void : print(line)
  })
  yield* Effect.raceFirst(telling, untilCut(client, tell))
}, Effect.scoped)

/** For people: each event in a line; of the service's health only what is new. */
export const lines = (): ((event: TopicEvent) => string | undefined) => {
  let health = ""
  return (event) => {
    const device = "device" in event ? event.device : ""
    const text = textOf(event)
    if (event.topic === "system.health") {
      if (text === health) return undefined
      health = text
    }
    return `${event.timestamp}  ${event.topic.padEnd(20)}  ${device.padEnd(9)}  ${text.replaceAll(/\p{Cc}/gu, "?")}\n`
  }
}

const textOf = (event: TopicEvent): string => {
  switch (event.topic) {
    case "system.health":
      return healthText(event.data)
    case "camera.connected":
    case "camera.disconnected":
    case "camera.status_change": {
      const { fault } = event.data
      return `${brief(event.data)}${fault === undefined ? "" : ` fault=${fault.kind} (${fault.detail})`}`
    }
    default:
      return brief(event.data)
  }
}

/** What of an event's data is told in a line: its plain fields. */
const brief = (data: object): string =>
  Object.entries(data)
    .flatMap(([key, value]) => (typeof value === "object" || key === "device" ? [] : [`${key}=${String(value)}`]))
    .join(" ")

/** Without its uptime, which is always another. */
const healthText = ({ components, reasons = [], status }: ServiceStatus): string => {
  const ill = Object.entries(components).filter(([, state]) => state !== "RUNNING")
  return [`status=${status}`, ...ill.map(([name, state]) => `${name}=${state}`), ...reasons].join(" ")
}
