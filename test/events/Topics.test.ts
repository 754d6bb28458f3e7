import { describe, expect, it } from "vitest"
import type { CameraFact } from "../../src/device/CameraFact.ts"
import type { Device } from "../../src/device/Device.ts"
import { faultOf } from "../../src/device/Fault.ts"
import { cameraTopics, recordingTopics } from "../../src/events/Topics.ts"
import type { RecordingFact } from "../../src/recording/Recording.ts"
import { found } from "../device/InMemory.ts"

const device: Device = { ...found("1-1"), id: "camera0", status: "CONNECTED" }
const away: Device = { ...device, status: "DISCONNECTED" }
const busy: Device = { ...device, status: "ERROR", fault: faultOf("BUSY", "opened by obs") }
const frozen: Device = { ...device, status: "ERROR", fault: faultOf("FROZEN", "no frame for 2 s") }

const ofCamera = (known: ReadonlyArray<Device>, ...facts: ReadonlyArray<readonly [CameraFact["_tag"], Device]>) => {
  const topic = cameraTopics(known)
  return facts.map(([_tag, now]) => topic({ _tag, camera: now.id, device: now }))
}

const ofRecording = (...tags: ReadonlyArray<RecordingFact["_tag"]>) => {
  const topic = recordingTopics()
  return tags.map((_tag) => topic({ _tag, camera: "camera0", filename: "", seconds: 0, reason: undefined }))
}

describe("the topic of a camera's news", () => {
  it("is connected when it comes, also with a fault, and disconnected when it goes", () => {
    expect(ofCamera([], ["CameraFaulty", busy], ["CameraDisconnected", away], ["CameraConnected", device])).toEqual([
      "camera.connected",
      "camera.disconnected",
      "camera.connected"
    ])
  })

  it("is a change of status when something is wrong, when that is something else, and when it works again", () => {
    expect(ofCamera([device], ["CameraFaulty", busy], ["CameraFaulty", frozen], ["CameraRecovered", device])).toEqual([
      "camera.status_change",
      "camera.status_change",
      "camera.status_change"
    ])
  })

  it("of a camera in the network is connected when it was reached, and a change of status before and after", () => {
    const unreachable = (detail: string): Device => ({
      ...device,
      status: "ERROR",
      fault: faultOf("UNREACHABLE", detail)
    })
    const [off, unplugged] = [unreachable("nobody listens at its port"), unreachable("there is no such machine")]
    expect(
      ofCamera(
        [],
        ["CameraFaulty", off],
        ["CameraFaulty", unplugged],
        ["CameraRecovered", device],
        ["CameraFaulty", off],
        ["CameraRecovered", device]
      )
    ).toEqual([
      "camera.status_change",
      "camera.status_change",
      "camera.connected",
      "camera.status_change",
      "camera.status_change"
    ])
  })

  it("is none when its status is what it was, and when it is away", () => {
    expect(
      ofCamera(
        [device],
        ["CameraChanged", { ...device, name: "other" }],
        ["CameraDisconnected", away],
        ["CameraChanged", away]
      )
    ).toEqual([undefined, "camera.disconnected", undefined])
  })

  it("is removed for a camera that is forgotten, and connected when it comes back", () => {
    expect(ofCamera([away], ["CameraForgotten", away], ["CameraConnected", device])).toEqual([
      "camera.removed",
      "camera.connected"
    ])
  })
})

describe("the topic of a recording's news", () => {
  it("is start once, however many files it is in, and stop at its end", () => {
    expect(ofRecording("RecordingStarting", "RecordingWriting", "RecordingWriting", "RecordingEnded")).toEqual([
      undefined,
      "recording.start",
      undefined,
      "recording.stop"
    ])
  })

  it("is an error when it cannot begin", () => {
    expect(ofRecording("RecordingStarting", "RecordingFailed")).toEqual([undefined, "recording.error"])
  })

  it("is stop while its camera is away, error while nothing can be written, and start when it goes on", () => {
    expect(
      ofRecording(
        "RecordingStarting",
        "RecordingWriting",
        "RecordingWaiting",
        "RecordingWriting",
        "RecordingTroubled",
        "RecordingWriting"
      )
    ).toEqual([undefined, "recording.start", "recording.stop", "recording.start", "recording.error", "recording.start"])
  })
})
