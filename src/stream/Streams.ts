import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RcMap from "effect/RcMap"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { CameraId } from "../../schema/Camera.ts"
import { type DependencyFailed, InvalidState, NotFound, type RateLimited } from "../../schema/Errors.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { Devices } from "../device/Devices.ts"
import { type Facts, makeFacts } from "../facts/Facts.ts"
import { now } from "../ground/Time.ts"
import { type Lingerer, makeLingering } from "./Lingering.ts"
import type { LiveStream, StreamState } from "./LiveStream.ts"
import { makePictures } from "./Pictures.ts"
import { makeAwaitReady } from "./Readiness.ts"
import type { RunEnd } from "./RunEnded.ts"
import { cameraOf, type StreamName, streamsOf, transcodeOf } from "./StreamName.ts"
import { Supervision } from "./Supervision.ts"

/** Why a stream is needed; it decides how long the stream lives on when the need is over. */
export type Reason = "viewer" | "recording" | "snapshot"

/** A camera's stream began, is another than before (`state`; `ended`: because its run did), or ended. */
export type StreamFact =
  | { readonly _tag: "StreamStarted"; readonly name: StreamName; readonly camera: CameraId }
  | {
      readonly _tag: "StreamChanged"
      readonly name: StreamName
      readonly camera: CameraId
      readonly state: StreamState
      readonly ended?: RunEnd
    }
  | { readonly _tag: "StreamEnded"; readonly name: StreamName; readonly camera: CameraId }

/** What is kept of a stream that ever was. */
interface Kept extends Lingerer {
  /** One process at a time opens a device; a stream that is being closed still does, so its successor waits for its end. */
  readonly device: Semaphore.Semaphore
  stream: LiveStream | undefined
  /** epoch milliseconds */
  lastStart: number | undefined
}

/** The streams of all cameras, by their names: each shared by everybody who holds a lease, gone when nobody does. */
export class Streams extends Context.Service<
  Streams,
  {
    /** holds the stream for as long as the scope lives, starting it when it does not run; does not wait for it */
    readonly lease: (
      name: StreamName,
      reason: Reason
    ) => Effect.Effect<LiveStream, NotFound | InvalidState, Scope.Scope>
    /**
     * waits until MediaMTX has the stream; fails after `streams.start_timeout_seconds`, at once when it is the camera, and
     * within a second when it is MediaMTX; with `RateLimited` where it waits for its turn
     */
    readonly awaitReady: (stream: LiveStream) => Effect.Effect<void, DependencyFailed | RateLimited>
    /**
     * has the camera's own stream run before its viewers come: it lives on for them from when it is ready; where it does not
     * get so, and nobody else needs it, it is let go
     */
    readonly start: (
      camera: CameraId
    ) => Effect.Effect<LiveStream, NotFound | InvalidState | DependencyFailed | RateLimited>
    /** ends the time that the camera's streams live on for nobody; true when somebody still needs its own */
    readonly release: (camera: CameraId) => Effect.Effect<boolean>
    /** runs this while no stream's FFmpeg has the device open, and keeps them from opening it; waits for its turn */
    readonly withDevice: (camera: CameraId) => <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
    /** the stream, while there is one */
    readonly current: (name: StreamName) => LiveStream | undefined
    /** those that there are now */
    readonly all: () => ReadonlyArray<LiveStream>
    /** epoch milliseconds at which the camera's stream last began; undefined: never in this run */
    readonly lastStart: (camera: CameraId) => number | undefined
    /** what happens to them from now on */
    readonly facts: Facts<StreamFact>
  }
>()("camera-service/stream/Streams") {
  static readonly layer = Layer.effect(
    Streams,
    Effect.gen(function* () {
      const settings = yield* Settings
      const devices = yield* Devices
      const supervision = yield* Supervision
      const scope = yield* Effect.scope
      const facts = yield* makeFacts<StreamFact>()
      const known = new Map<StreamName, Kept>()
      const lingerOf = (reason: Reason): Duration.Duration => {
        const { snapshot_linger_seconds, viewer_linger_seconds } = liveNow(settings).streams
        const linger = { viewer: viewer_linger_seconds, snapshot: snapshot_linger_seconds, recording: Duration.zero }
        return linger[reason]
      }

      const of = (name: StreamName): Kept => {
        const before = known.get(name)
        if (before !== undefined) return before
        const made: Kept = {
          name,
          device: Semaphore.makeUnsafe(1),
          stream: undefined,
          lastStart: undefined,
          lingering: undefined
        }
        known.set(name, made)
        return made
      }

      yield* devices.followForgotten((camera) => {
        for (const name of [camera, transcodeOf(camera)]) {
          if (known.get(name)?.stream === undefined) known.delete(name)
        }
      })

      const newStream = Effect.fnUntraced(function* (name: StreamName, own: LiveStream | undefined) {
        const camera = cameraOf(name)
        const state = yield* SubscriptionRef.make<StreamState>({ _tag: "Starting" })
        const stream: LiveStream = {
          name,
          camera,
          ...(own === undefined ? {} : { own }),
          startedAt: yield* now,
          state,
          become: (next, ended) =>
            Effect.map(SubscriptionRef.set(state, next), () =>
              facts.tell({
                _tag: "StreamChanged",
                name,
                camera,
                state: next,
                ...(ended === undefined ? {} : { ended })
              })
            ),
          pictures: makePictures(),
          joining: new Set(),
          run: undefined,
          restarts: 0,
          failuresInARow: 0
        }
        return stream
      })

      /** It is the one of its name, and that is told, until the scope closes. */
      const keep = (stream: LiveStream, kept: Kept) => {
        const { camera, name, startedAt } = stream
        return Effect.acquireRelease(
          Effect.sync(() => {
            kept.stream = stream
            kept.lastStart = startedAt.wall
            facts.tell({ _tag: "StreamStarted", name, camera })
          }),
          () =>
            Effect.sync(() => {
              // its successor may be there already
              if (kept.stream === stream) {
                kept.stream = undefined
                if (devices.find(camera) === undefined) known.delete(name)
              }
              facts.tell({ _tag: "StreamEnded", name, camera })
            })
        )
      }

      const open: (name: StreamName) => Effect.Effect<LiveStream, never, Scope.Scope> = Effect.fn("Streams.open")(
        function* (name) {
          const camera = cameraOf(name)
          yield* Effect.annotateCurrentSpan({ "camera.id": camera, "stream.name": name })
          // held as long as this one, and without a time that it lives on for nobody: this one has had that
          const own = name === camera ? undefined : yield* RcMap.get(streams, camera)
          const kept = of(name)
          const stream = yield* newStream(name, own)
          yield* keep(stream, kept)
          // its end is awaited when the scope closes
          yield* Effect.forkScoped(supervision.run(stream, kept.device))
          yield* Effect.addFinalizer(() => stream.become({ _tag: "Stopping" }))
          return stream
        }
      )

      const streams = yield* RcMap.make({ lookup: open })
      const lingering = yield* makeLingering((name) => RcMap.get(streams, name))

      const lease = Effect.fn("Streams.lease")(function* (name: StreamName, reason: Reason) {
        yield* Effect.annotateCurrentSpan({ "stream.name": name, "lease.reason": reason })
        const device = yield* devices.get(cameraOf(name))
        if (!streamsOf(device).includes(name)) return yield* new NotFound({ resource: "stream", id: name })
        if (device.status === "DISCONNECTED") {
          return yield* new InvalidState({ state: device.status, allowed_states: ["CONNECTED"] })
        }
        const stream = yield* RcMap.get(streams, name)
        yield* Effect.addFinalizer(() => Effect.suspend(() => lingering.linger(of(name), lingerOf(reason))))
        return stream
      })

      const awaitReady = yield* makeAwaitReady

      const release = Effect.fn("Streams.release")(function* (camera: CameraId) {
        // the transcode first, which holds the other
        for (const name of [transcodeOf(camera), camera]) {
          const kept = known.get(name)
          if (kept !== undefined) yield* lingering.end(kept)
        }
        return yield* RcMap.has(streams, camera)
      })

      const start = Effect.fn("Streams.start")((camera: CameraId) =>
        Effect.scoped(Effect.tap(lease(camera, "viewer"), awaitReady)).pipe(
          // who was told that it failed does not expect it to begin minutes later, nor waits for an FFmpeg that hangs
          Effect.tapErrorTag(["DependencyFailed", "RateLimited"], () => Effect.forkIn(release(camera), scope))
        )
      )

      return Streams.of({
        lease,
        awaitReady,
        start,
        release,
        withDevice: (camera) => of(camera).device.withPermit,
        current: (name) => known.get(name)?.stream,
        all: () => [...known.values()].flatMap(({ stream }) => (stream === undefined ? [] : [stream])),
        lastStart: (camera) => known.get(camera)?.lastStart,
        facts
      })
    })
  )
}
