import * as Effect from "effect/Effect"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { CameraId } from "../../schema/Camera.ts"
import type { Device } from "../device/Device.ts"
import { Devices } from "../device/Devices.ts"
import { MediaMtx } from "../process/MediaMtx.ts"
import { troubleOf } from "../process/MediaMtxTrouble.ts"
import type { RecordingNow } from "../recording/Recording.ts"
import { Recordings } from "../recording/Recordings.ts"
import { FileIndex } from "../storage/FileIndex.ts"
import { DiskGuard } from "../storage/DiskGuard.ts"
import type { LiveStream } from "../stream/LiveStream.ts"
import { Paths } from "../stream/Paths.ts"
import { Status } from "../stream/Status.ts"
import { Streams } from "../stream/Streams.ts"
import type { ComponentState, Seen } from "./Parts.ts"

/** What there is of errors; nothing where there is none. */
const because = (error: string | undefined): Pick<Seen, "error"> => (error === undefined ? {} : { error })

/** Sees what each part of the service is now, from memory. */
export const makeSight = Effect.gen(function* () {
  const mediaMtx = yield* MediaMtx
  const devices = yield* Devices
  const paths = yield* Paths
  const streams = yield* Streams
  const status = yield* Status
  const recordings = yield* Recordings
  const disk = yield* DiskGuard
  const index = yield* FileIndex

  const seeMonitor = (): Seen => ({ part: "camera_monitor", state: devices.settled() ? "RUNNING" : "STARTING" })

  const seeMediaMtx = (): Seen => {
    const now = SubscriptionRef.getUnsafe(mediaMtx.state)
    const trouble = troubleOf(now)
    if (trouble === undefined) return { part: "mediamtx", state: "RUNNING" }
    // that it has to start is no error
    if (now._tag === "Starting") return { part: "mediamtx", state: "STARTING", ...because(now.detail) }
    return { part: "mediamtx", state: "ERROR", error: now.detail ?? trouble }
  }

  const seeCamera = ({ fault, id, status }: Device): Seen => {
    const state = cameraStates[status]
    if (fault !== undefined) {
      return { part: "camera", device: id, state, error: `${fault.kind}: ${fault.detail}` }
    }
    return { part: "camera", device: id, state: state === "RUNNING" && !paths.exists(id) ? "STARTING" : state }
  }

  const seeStream = ({ camera, name, own }: LiveStream): Seen => {
    const { reason, state } = status.stateOf(name)
    const part = own === undefined ? "stream" : "transcode"
    return { part, device: camera, state: streamStates[state], ...because(reason) }
  }

  const seeRecording = ([device, { last, reason }]: readonly [CameraId, RecordingNow]): Seen => {
    const state = recordingStates[last]
    return { part: "recording", device, state, ...because(state === "ERROR" ? reason : undefined) }
  }

  const seeIndex = (): Seen => {
    const { detail, state } = index.state()
    return { part: "index", state, ...because(detail) }
  }

  const seeAll = (): ReadonlyArray<Seen> => {
    const trouble = disk.trouble()
    return [
      seeMonitor(),
      seeMediaMtx(),
      { part: "storage", state: trouble === undefined ? "RUNNING" : "ERROR", ...because(trouble) },
      seeIndex(),
      ...devices.list().map(seeCamera),
      ...streams.all().map(seeStream),
      ...Array.from(recordings.now(), seeRecording)
    ]
  }
  return { seeAll, seeMediaMtx, seeMonitor }
})

const cameraStates = { CONNECTED: "RUNNING", DISCONNECTED: "STOPPED", ERROR: "ERROR" } as const
const streamStates = {
  STARTING: "STARTING",
  ACTIVE: "RUNNING",
  ERROR: "ERROR",
  STOPPING: "STOPPING",
  INACTIVE: "STOPPED"
} as const

/** One that waits for its camera is asked for, and is not written. */
const recordingStates = {
  RecordingStarting: "STARTING",
  RecordingWriting: "RUNNING",
  RecordingWaiting: "ERROR",
  RecordingTroubled: "ERROR"
} as const satisfies Readonly<Record<RecordingNow["last"], ComponentState>>
