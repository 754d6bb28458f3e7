import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import type { CameraId } from "../../schema/Camera.ts"
import { DependencyFailed, InvalidState, NotFound, Unsupported } from "../../schema/Errors.ts"
import { Devices } from "../device/Devices.ts"
import { failedBy, faultOf } from "../device/Fault.ts"
import { isoTime, monotonicNow } from "../ground/Time.ts"
import type { RtspFailed } from "../rtsp/RtspFailed.ts"
import { begin, type Drive, type Mover } from "./Drive.ts"
import { ExternalStreams } from "./ExternalStreams.ts"
import { asFailure } from "./NetworkInput.ts"
import { OnvifClient } from "./onvif/OnvifClient.ts"
import type { OnvifFailed } from "./onvif/OnvifTarget.ts"
import type { Preset, Velocity } from "./onvif/PtzCalls.ts"
import type { PtzSession } from "./onvif/PtzSession.ts"
import { type AddressRefused, Reach } from "./Reach.ts"
import { makeRecentOf } from "./Recent.ts"
import { isOnvif, onvifTarget } from "./StreamTargets.ts"
import type { StreamUrl } from "./StreamUrl.ts"

type Refused = NotFound | InvalidState | Unsupported | DependencyFailed

/** Moves cameras (ONVIF's PTZ): one client at a time moves a camera. */
export class Ptz extends Context.Service<
  Ptz,
  {
    /** whether it can be moved, by what it told last */
    readonly has: (camera: CameraId) => boolean
    /** moves it until it is moved another way or stopped, its mover has gone, or so many milliseconds have passed */
    readonly move: (camera: CameraId, velocity: Velocity, millis: number, by: Mover) => Effect.Effect<void, Refused>
    /** returns when the camera has been told; whoever moves it, for to stop is always safe */
    readonly stop: (camera: CameraId) => Effect.Effect<void, Refused>
    /** the positions that the camera has kept, asked for now */
    readonly presets: (camera: CameraId) => Effect.Effect<ReadonlyArray<Preset>, Refused>
    /** the camera stops by itself once it is there */
    readonly goTo: (camera: CameraId, preset: string, by: Mover) => Effect.Effect<void, Refused>
  }
>()("camera-service/external/Ptz") {
  static readonly layer = Layer.effect(
    Ptz,
    Effect.gen(function* () {
      const devices = yield* Devices
      const streams = yield* ExternalStreams
      const onvif = yield* OnvifClient
      const reach = yield* Reach
      const life = yield* Effect.scope
      const oneClaim = yield* Semaphore.make(1)
      /** one that has ended stays until the camera is moved again */
      const drives = new Map<CameraId, Drive>()
      /** how a camera is moved; when it is learnt again, its address is looked at anew, too */
      const sessions = makeRecentOf<StreamUrl, PtzSession>(yield* monotonicNow)

      const open = Effect.fnUntraced(
        function* (camera: CameraId) {
          yield* devices.get(camera)
          const stream = streams.ofCamera(camera)
          if (stream === undefined) return yield* noPtz("it is no camera of the network", whichMove)
          if (!isOnvif(stream.url)) return yield* noPtz("it was added by the address of its stream", needsOnvif)
          const { pins, url } = stream
          const known = sessions.get(url)
          if (known !== undefined) return { session: known, url }
          const target = yield* reach.target(url, pins?.deviceFingerprint)
          const session = yield* onvif.openPtz(onvifTarget(url, target))
          if (session === undefined) return yield* noPtz("it has no PTZ service, or none for its stream", whichMove)
          sessions.set(url, session)
          return { session, url }
        },
        Effect.catchTags({ AddressRefused: told, OnvifFailed: told, RtspFailed: told })
      )

      /** What went wrong may be what was learnt before. */
      const at = <A>(url: StreamUrl, asked: Effect.Effect<A, OnvifFailed>): Effect.Effect<A, DependencyFailed> =>
        asked.pipe(
          Effect.tapError(() => Effect.sync(() => sessions.forget(url))),
          Effect.catch(told)
        )

      /** The movement that this mover has under way, if nobody else has one; one that ends is waited for. */
      const mine = Effect.fnUntraced(function* (camera: CameraId, by: Mover) {
        for (;;) {
          const drive = drives.get(camera)
          if (drive === undefined) return undefined
          if (!drive.isEnding()) return drive.mover.id === by.id ? drive : yield* taken(drive)
          yield* Effect.ignore(drive.end)
          if (drives.get(camera) === drive) drives.delete(camera)
        }
      })

      const claim = Effect.fnUntraced(function* (camera: CameraId, session: PtzSession, by: Mover) {
        const present = drives.get(camera)
        if (present !== undefined) return present
        const drive = yield* begin(session, by, life)
        drives.set(camera, drive)
        yield* Effect.logInfo("a camera is moved")
        return drive
      }, oneClaim.withPermit)

      const move = Effect.fn("Ptz.move")(function* (camera: CameraId, velocity: Velocity, millis: number, by: Mover) {
        yield* mine(camera, by)
        const { session, url } = yield* open(camera)
        const drive = (yield* mine(camera, by)) ?? (yield* claim(camera, session, by).pipe(of(camera, by)))
        if (drive.mover.id !== by.id) return yield* taken(drive)
        const moved = yield* at(url, drive.move(velocity, millis)).pipe(
          // it may have begun to, for all that is known
          Effect.tapError(() => Effect.forkIn(Effect.ignore(drive.end), life))
        )
        if (!moved) return yield* wasStopped()
      })

      const stop = Effect.fn("Ptz.stop")(function* (camera: CameraId) {
        const drive = drives.get(camera)
        if (drive?.isEnding() === false) return yield* halted(drive)
        const { session, url } = yield* open(camera)
        yield* at(url, session.stop)
      })

      const presets = Effect.fn("Ptz.presets")(function* (camera: CameraId) {
        const { session, url } = yield* open(camera)
        return yield* at(url, session.presets)
      })

      const goTo = Effect.fn("Ptz.goTo")(function* (camera: CameraId, preset: string, by: Mover) {
        const drive = yield* mine(camera, by)
        // its stop would come in between
        if (drive !== undefined) yield* halted(drive)
        const { session, url } = yield* open(camera)
        const gone = yield* Effect.result(session.goTo(preset))
        if (gone._tag === "Failure") {
          const isRefused = gone.failure.kind === "PROTOCOL"
          const all = isRefused ? yield* Effect.orElseSucceed(session.presets, () => undefined) : undefined
          if (all?.every(({ id }) => id !== preset) === true) return yield* unknownPreset(preset)
          return yield* at(url, Effect.fail(gone.failure))
        }
        yield* Effect.logInfo("a camera goes to a preset").pipe(Effect.annotateLogs({ preset }), of(camera, by))
      })

      return Ptz.of({ has: (camera) => streams.ofCamera(camera)?.hasPtz === true, move, stop, presets, goTo })
    })
  )
}

/** What the log says of who did it, and to which camera. */
const of = (camera: CameraId, { role, user }: Mover) => Effect.annotateLogs({ "camera.id": camera, user, role })

const halted = (drive: Drive) => drive.end.pipe(Effect.catch(told))

const unknownPreset = (id: string) => new NotFound({ resource: "preset", id })
const whichMove = "get_camera_capabilities tells of each camera whether it can be moved (ptz)"
const needsOnvif =
  "if it has ONVIF, add it by the URL of its device service (http://…/onvif/device_service), which makes another camera of it: " +
  "only those can be moved"
const noPtz = (reason: string, suggestion: string) => new Unsupported({ feature: "ptz", reason, suggestion })

const taken = ({ mover, since }: Drive) =>
  new InvalidState({
    state: "MOVING",
    allowed_states: ["IDLE"],
    reason: `another client (${mover.role}) moves it since ${isoTime(since)}`,
    suggestion: "wait until it is stopped; ptz_stop stops it, whoever moves it"
  })

const wasStopped = () =>
  new InvalidState({ state: "STOPPED", allowed_states: ["MOVING"], reason: "it was stopped before it was moved" })

const told = (error: OnvifFailed | RtspFailed | AddressRefused) => {
  const { detail, kind } = error._tag === "AddressRefused" ? asFailure(error) : error
  return Effect.fail(failedBy(faultOf(kind, detail)))
}
