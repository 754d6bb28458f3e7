import type { RecordingStatusUpdate } from "../../schema/Recording.ts"
import { toSeconds } from "../ground/Time.ts"
import type { RecordingFact } from "../recording/Recording.ts"

const statuses: Readonly<Record<RecordingFact["_tag"], RecordingStatusUpdate["status"]>> = {
  RecordingStarting: "STARTING",
  RecordingWriting: "RECORDING",
  RecordingWaiting: "STOPPED",
  RecordingTroubled: "ERROR",
  RecordingEnded: "STOPPED",
  RecordingFailed: "ERROR"
}

/** What clients are told of what happens to a recording. */
export const recordingUpdate = ({ _tag, camera, filename, reason, seconds }: RecordingFact): RecordingStatusUpdate => ({
  device: camera,
  status: statuses[_tag],
  filename,
  duration: toSeconds(seconds * 1000),
  ...(reason === undefined ? {} : { reason })
})
