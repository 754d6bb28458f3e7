import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import type { CameraId } from "../../schema/Camera.ts"
import type { Device } from "../device/Device.ts"
import { Devices } from "../device/Devices.ts"
import { Events, type Fact } from "../events/Events.ts"
import type { Told } from "../facts/Facts.ts"
import { monotonicNow } from "../ground/Time.ts"
import { ProgramMemory } from "../health/ProgramMemory.ts"
import type { RecordingFact } from "../recording/Recording.ts"
import type { StreamName } from "../stream/StreamName.ts"
import { Streams } from "../stream/Streams.ts"
import {
  activation,
  cameraFault,
  cameraUp,
  ffmpegMemory,
  ffmpegRestarts,
  hotplug,
  recordingActive,
  registerGauge,
  segmentAge,
  snapshotAge,
  snapshotDuration
} from "../telemetry/Metrics.ts"

/** The metrics that are made of what happens. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const devices = yield* Devices
    const events = yield* Events
    const memory = yield* ProgramMemory
    const streams = yield* Streams
    const now = yield* monotonicNow
    const context = yield* Effect.context<never>()
    const add = <Input>(metric: Metric.Metric<Input, unknown>, value: Input) => metric.updateUnsafe(value, context)
    const show = (gauge: Metric.Gauge<number>, read: () => number): void => void registerGauge(gauge, context, read)
    const drop = <Input>(metric: Metric.Metric<Input, unknown>) => Metric.removeUnsafe(metric, context)
    /** the fault that is told of each camera that has one */
    const faults = new Map<CameraId, string>()
    /** monotonic milliseconds at which a stream was first needed, until it is ready */
    const needed = new Map<StreamName, number>()

    const showCamera = ({ fault, id, status }: Device): void => {
      add(cameraUp(id), status === "CONNECTED" ? 1 : 0)
      const before = faults.get(id)
      if (before === fault?.kind) return
      if (before !== undefined) drop(cameraFault(id, before))
      if (fault === undefined) faults.delete(id)
      else {
        faults.set(id, fault.kind)
        add(cameraFault(id, fault.kind), 1)
      }
    }

    const forgetCamera = (camera: CameraId): void => {
      drop(cameraUp(camera))
      const fault = faults.get(camera)
      if (fault !== undefined) drop(cameraFault(camera, fault))
      faults.delete(camera)
    }

    /** Each file of a recording is told when it is begun. */
    const showRecording = ({ _tag, at, camera }: Told<RecordingFact>): void => {
      switch (_tag) {
        case "RecordingStarting":
          return
        case "RecordingWriting":
          add(recordingActive(camera), 1)
          return show(segmentAge(camera), () => (now() - at.monotonic) / 1000)
        case "RecordingWaiting":
        case "RecordingTroubled":
          return add(recordingActive(camera), 0)
        case "RecordingEnded":
        case "RecordingFailed":
          drop(recordingActive(camera))
          drop(segmentAge(camera))
      }
    }

    const count = (fact: Told<Fact>): void => {
      switch (fact._tag) {
        case "CameraConnected":
        case "CameraDisconnected":
        case "CameraFaulty":
        case "CameraRecovered":
        case "CameraChanged":
          if (fact.pluggedAt !== undefined) add(hotplug, (fact.at.monotonic - fact.pluggedAt) / 1000)
          return showCamera(fact.device)
        case "CameraForgotten":
          return forgetCamera(fact.camera)
        case "StreamStarted":
          needed.set(fact.name, fact.at.monotonic)
          return show(ffmpegMemory(fact.name), () => memory.ofStream(fact.name))
        case "StreamChanged": {
          if (fact.ended !== undefined) add(ffmpegRestarts(fact.ended), 1)
          const since = needed.get(fact.name)
          if (fact.state._tag !== "Ready" || since === undefined) return
          needed.delete(fact.name)
          return add(activation, (fact.at.monotonic - since) / 1000)
        }
        case "StreamEnded":
          needed.delete(fact.name)
          // its successor may be there already
          return streams.current(fact.name) === undefined ? drop(ffmpegMemory(fact.name)) : undefined
        case "SnapshotTaken":
          add(snapshotDuration(fact.tier), fact.captureMs / 1000)
          return add(snapshotAge(fact.tier), fact.ageMs / 1000)
        case "RecordingStarting":
        case "RecordingWriting":
        case "RecordingWaiting":
        case "RecordingTroubled":
        case "RecordingEnded":
        case "RecordingFailed":
          return showRecording(fact)
        default:
          return
      }
    }

    yield* events.follow((fact) => Effect.sync(() => count(fact)))
    // only then: one that comes meanwhile is not missed
    for (const device of devices.list()) showCamera(device)
  })
)
