import type { CameraId } from "../../schema/Camera.ts"
import type { TopicName } from "../../schema/Event.ts"
import type { CameraFact } from "../device/CameraFact.ts"
import type { Device } from "../device/Device.ts"
import type { RecordingFact } from "../recording/Recording.ts"

type CameraTopic = Extract<TopicName, `camera.${string}`>
type RecordingTopic = Extract<TopicName, `recording.${string}`>

/**
 * The topic of what happens to cameras, each at most once. Connected: it was plugged in, or reached in the network, also one
 * that does not work. Status change: it works no more or again, or something else is wrong with it; more news than that are none
 * of its status. Removed: it is on no list any more.
 */
export const cameraTopics = (known: ReadonlyArray<Device>): ((fact: CameraFact) => CameraTopic | undefined) => {
  const before = new Map(known.map((device) => [device.id, device]))
  const connected = new Set(known.filter(isThere).map(({ id }) => id))
  return ({ _tag, camera, device }) => {
    const was = before.get(camera)
    if (_tag === "CameraForgotten") {
      before.delete(camera)
      connected.delete(camera)
      return "camera.removed"
    }
    before.set(camera, device)
    if (device.status === "DISCONNECTED") connected.delete(camera)
    if (_tag === "CameraDisconnected") return "camera.disconnected"
    if (device.status === "DISCONNECTED") return undefined
    if (!connected.has(camera) && isThere(device)) {
      connected.add(camera)
      return "camera.connected"
    }
    const isSame =
      was?.status === device.status &&
      was.fault?.kind === device.fault?.kind &&
      was.fault?.detail === device.fault?.detail
    return isSame ? undefined : "camera.status_change"
  }
}

const isThere = ({ fault, status }: Device): boolean => status !== "DISCONNECTED" && fault?.kind !== "UNREACHABLE"

/**
 * The topic of what happens to recordings. A recording that goes on in another file goes on; one that stopped or failed
 * and is written again starts.
 */
export const recordingTopics = (): ((fact: RecordingFact) => RecordingTopic | undefined) => {
  const written = new Set<CameraId>()
  return ({ _tag, camera }) => {
    const isWritten = written.has(camera)
    if (_tag === "RecordingWriting") written.add(camera)
    else written.delete(camera)
    switch (_tag) {
      case "RecordingStarting":
        return undefined
      case "RecordingWriting":
        return isWritten ? undefined : "recording.start"
      case "RecordingWaiting":
      case "RecordingEnded":
        return "recording.stop"
      case "RecordingTroubled":
      case "RecordingFailed":
        return "recording.error"
    }
  }
}
