import type { CameraId } from "../../schema/Camera.ts"
import type { Moment } from "../ground/Time.ts"

/** As `get_status` names them. */
export type ComponentState = "RUNNING" | "STOPPED" | "ERROR" | "STARTING" | "STOPPING"

/** What a part of the service is seen to be. */
export interface Seen {
  readonly part:
    | "websocket_server"
    | "camera_monitor"
    | "mediamtx"
    | "storage"
    | "index"
    | "camera"
    | "stream"
    | "transcode"
    | "recording"
  /** of a camera, its streams, its recording */
  readonly device?: CameraId
  readonly state: ComponentState
  /** what is wrong, for people */
  readonly error?: string
}

/** The same, with what is known of its past. */
export interface Part extends Seen {
  /** when its state became what it is */
  readonly since: Moment
  /** what was wrong last, be it over or not, and when it began */
  readonly lastError?: { readonly detail: string; readonly at: Moment }
}

const nameOf = ({ device, part }: Seen): string => (device === undefined ? part : `${part} ${device}`)

/**
 * A text that goes out to whoever asks: what a program said may name files of this machine. `file`: what stands in the place
 * of a path that is no device's.
 */
export const withoutPaths = (text: string, file = "a file"): string =>
  text.replaceAll(/(?<![\w:/])(?:\/[^\s/:;,"')]+){2,}/g, (path) => (path.startsWith("/dev/") ? "a device" : file))

/** What is known of each part now. Parts that are there no more are forgotten. */
export const partsSince = (
  before: ReadonlyArray<Part>,
  seen: ReadonlyArray<Seen>,
  now: Moment
): ReadonlyArray<Part> => {
  const known = new Map(before.map((part) => [nameOf(part), part]))
  return seen.map((raw) => {
    const last = known.get(nameOf(raw))
    const error = raw.error === undefined ? undefined : withoutPaths(raw.error)
    const isNews = error !== undefined && (last?.error === undefined || last.error !== error)
    const lastError = isNews ? { detail: error, at: now } : last?.lastError
    return {
      ...raw,
      ...(error === undefined ? {} : { error }),
      since: last?.state === raw.state ? last.since : now,
      ...(lastError === undefined ? {} : { lastError })
    }
  })
}
