import type { Camera } from "../../schema/Camera.ts"
import type { RecordingStatusUpdate } from "../../schema/Recording.ts"
import { isoTime, toSeconds } from "../ground/Time.ts"
import type { RecordingFact, RecordingNow } from "../recording/Recording.ts"

const statuses = {
  RecordingStarting: "STARTING",
  RecordingWriting: "RECORDING",
  RecordingWaiting: "STOPPED",
  RecordingTroubled: "ERROR",
  RecordingEnded: "STOPPED",
  RecordingFailed: "ERROR"
} as const satisfies Readonly<Record<RecordingFact["_tag"], RecordingStatusUpdate["status"]>>

/** What clients are told of what happens to a recording. */
export const recordingUpdate = ({ _tag, camera, filename, reason, seconds }: RecordingFact): RecordingStatusUpdate => ({
  device: camera,
  status: statuses[_tag],
  filename,
  duration: toSeconds(seconds * 1000),
  ...(reason === undefined ? {} : { reason })
})

/** What a camera's entry says of its recording; nothing of one that waits for it. */
export const recordingNow = (now: RecordingNow | undefined): Pick<Camera, "recording"> => {
  if (now === undefined || now.last === "RecordingWaiting") return {}
  const { last, reason, since } = now
  const why = reason === undefined ? {} : { reason }
  return { recording: { status: statuses[last], since: isoTime(since), ...why } }
}
