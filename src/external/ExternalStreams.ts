import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { CameraId } from "../../schema/Camera.ts"
import { type DependencyFailed, type InvalidParams, type InvalidState, NotFound } from "../../schema/Errors.ts"
import { Settings } from "../config/Settings.ts"
import { CameraNames } from "../device/CameraNames.ts"
import { Devices } from "../device/Devices.ts"
import { Recordings } from "../recording/Recordings.ts"
import { RtspFailed } from "../rtsp/RtspFailed.ts"
import { Streams } from "../stream/Streams.ts"
import { type Answer, withAnswer } from "./Answers.ts"
import { type NetworkCamera, NetworkCameras } from "./NetworkCameras.ts"
import { alreadyAdded, isForNow, noCameraThere, refused, tooMany } from "./NotAdded.ts"
import { knownOf, type KnownStream, type SeenStream, SeenStreams } from "./SeenStreams.ts"
import { type AddedStream, streamFiles } from "./StreamFiles.ts"
import { opensOtherwise, type StreamUrl } from "./StreamUrl.ts"

export type AddRequest = Pick<AddedStream, "url" | "type" | "name">

export interface AddedCamera extends KnownStream {
  readonly device: CameraId
  /** it was one before, and is opened by other secrets from now on */
  readonly isReplaced: boolean
}

/** So many may be added, and leave the names of their cameras behind when they are removed. */
const most = { added: 256, left: 256 }

/** The streams from the network: those that were added, each of which is a camera, and those that scans have seen. */
export class ExternalStreams extends Context.Service<
  ExternalStreams,
  {
    /** the added ones first */
    readonly list: () => ReadonlyArray<KnownStream>
    /** the added one that is this camera */
    readonly ofCamera: (camera: CameraId) => KnownStream | undefined
    /**
     * Makes it a camera, for good. One that is away now is a camera with a fault, and is waited for; what the camera refuses
     * in a way that waiting does not mend (`DependencyFailed`) is not added. Of one that was added, other secrets take the
     * place of those that it has, once the camera has taken them.
     */
    readonly add: (request: AddRequest) => Effect.Effect<AddedCamera, InvalidParams | InvalidState | DependencyFailed>
    /** Ends its recording and its stream, and forgets it; its camera's name is kept for it, should it be added again. */
    readonly remove: (url: StreamUrl) => Effect.Effect<void, NotFound | DependencyFailed>
    /** for scans: these are there */
    readonly seen: (streams: ReadonlyArray<SeenStream>) => Effect.Effect<void>
  }
>()("camera-service/external/ExternalStreams") {
  static readonly layer = Layer.effect(
    ExternalStreams,
    Effect.gen(function* () {
      const cameras = yield* NetworkCameras
      const devices = yield* Devices
      const names = yield* CameraNames
      const recordings = yield* Recordings
      const streams = yield* Streams
      const files = yield* streamFiles
      const life = yield* Effect.scope
      /** by the texts of their URLs */
      const added = new Map<string, Added>()
      const scanned = new SeenStreams()
      /** they are being added, or removed */
      const underWay = new Set<string>()
      const oneChange = yield* Semaphore.make(1)
      let left: ReadonlyArray<CameraId> = []

      const streamsBut = (text?: string) =>
        Array.from(added).flatMap(([key, { camera }]) => (key === text ? [] : [camera.stream()]))

      const learnt = Effect.suspend(() => files.write({ streams: streamsBut(), left })).pipe(
        oneChange.withPermit,
        // the disk has said so in the log, and what was learnt is learnt again
        Effect.ignore
      )

      const attach = Effect.fnUntraced(function* (stream: AddedStream, answer: Answer | undefined) {
        const scope = yield* Scope.fork(life)
        const camera = yield* Scope.provide(cameras.attach(stream, answer, learnt), scope)
        added.set(stream.url.text, { camera, scope })
        return camera
      })

      const looked = yield* devices.looking("network")
      const { enabled } = (yield* Settings).boot.external
      const kept = enabled ? yield* files.read : { streams: [], left: [] }
      left = kept.left
      for (const stream of kept.streams) yield* attach(stream, undefined)
      yield* looked
      // when they were seen last is on no disk yet
      yield* Effect.addFinalizer(() => (added.size === 0 ? Effect.void : learnt))

      const meanwhile =
        (text: string) =>
        <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
          Effect.acquireUseRelease(
            Effect.sync(() => underWay.add(text)),
            () => effect,
            () => Effect.sync(() => underWay.delete(text))
          )

      const make = Effect.fnUntraced(function* ({ name, type, url }: AddRequest) {
        const answer = yield* cameras.ask({ url }).pipe(
          Effect.catchTag("AddressRefused", (refused) => Effect.fail(noCameraThere(refused))),
          Effect.catchTag("RtspFailed", (failed) => (isForNow(failed) ? Effect.succeed(failed) : refused(failed)))
        )
        const now = yield* Clock.currentTimeMillis
        const { discoveredAt = now, lasting: seenAs, lastSeen = 0 } = scanned.get(url.text) ?? {}
        const lasting = (answer instanceof RtspFailed ? undefined : yield* cameras.lasting(url, answer)) ?? seenAs
        const asked: AddedStream = {
          url,
          type,
          name,
          discoveredAt,
          lastSeen,
          ...(lasting === undefined ? {} : { lasting })
        }
        const stream = answer instanceof RtspFailed ? asked : withAnswer(asked, answer, now)
        return yield* Effect.suspend(() => files.write({ streams: [...streamsBut(), stream], left })).pipe(
          Effect.andThen(attach(stream, answer)),
          oneChange.withPermit,
          Effect.uninterruptible
        )
      })

      /** The camera is shown the new secrets first: what it does not take replaces nothing. */
      const replace = Effect.fnUntraced(function* ({ camera }: Added, url: StreamUrl) {
        const before = camera.stream()
        if (!opensOtherwise(before.url, url)) return yield* alreadyAdded(camera.id)
        const told = yield* cameras.ask({ ...before, url }).pipe(
          Effect.catchTag("AddressRefused", (refused) => Effect.fail(noCameraThere(refused))),
          Effect.catchTag("RtspFailed", refused)
        )
        const reopened = () =>
          streamsBut().map((stream) => (stream.url.text === url.text ? Object.assign({}, stream, { url }) : stream))
        yield* Effect.suspend(() => files.write({ streams: reopened(), left })).pipe(
          oneChange.withPermit,
          // what it learns of the camera is written, too
          Effect.andThen(camera.reopen(url, told)),
          Effect.uninterruptible
        )
        yield* Effect.logInfo("a network camera's user and password were replaced").pipe(
          Effect.annotateLogs({ "camera.id": camera.id, url: url.text })
        )
        return { ...knownOf(camera), device: camera.id, isReplaced: true }
      })

      const add = Effect.fn("ExternalStreams.add")(function* (request: AddRequest) {
        const { text } = request.url
        const present = added.get(text)
        if (underWay.has(text)) return yield* alreadyAdded(present?.camera.id)
        if (present !== undefined) return yield* meanwhile(text)(replace(present, request.url))
        if (added.size + underWay.size >= most.added) return yield* tooMany(most.added)
        const camera = yield* meanwhile(text)(make(request)).pipe(
          Effect.tapErrorTag("DependencyFailed", ({ detail, reason }) =>
            Effect.annotateLogs(Effect.logWarning("a network camera was not added"), { url: text, reason, detail })
          )
        )
        scanned.forget(text)
        yield* Effect.logInfo("network camera added").pipe(
          Effect.annotateLogs({ "camera.id": camera.id, url: text, type: request.type })
        )
        return { ...knownOf(camera), device: camera.id, isReplaced: false }
      })

      const end = Effect.fnUntraced(function* ({ camera: { id }, scope }: Added) {
        yield* recordings.stop(id).pipe(
          Effect.catchTag("InvalidState", () => Effect.void),
          Effect.catchTag("DependencyFailed", (error) =>
            Effect.logWarning("the recording of a camera that is removed did not end well", error)
          )
        )
        yield* streams.release(id)
        yield* Scope.close(scope, Exit.void)
        yield* devices.forget(id, "kept")
      })

      /** Files of this camera have its name: another camera gets it only after many others were removed. */
      const leave = Effect.fnUntraced(function* (text: string, id: CameraId) {
        const used = new Set(Array.from(added.values(), ({ camera }) => camera.id))
        const next = [...left.filter((name) => !used.has(name)), id]
        yield* files.write({ streams: streamsBut(text), left: next.slice(-most.left) })
        yield* Effect.forEach(next.slice(0, -most.left), names.giveUp, { discard: true })
        left = next.slice(-most.left)
        added.delete(text)
      })

      const forget = (text: string, present: Added) =>
        leave(text, present.camera.id).pipe(
          oneChange.withPermit,
          Effect.andThen(end(present)),
          Effect.andThen(Effect.logInfo("network camera removed")),
          Effect.annotateLogs({ "camera.id": present.camera.id, url: text }),
          Effect.uninterruptible
        )

      const remove = Effect.fn("ExternalStreams.remove")(function* ({ text }: StreamUrl) {
        const present = added.get(text)
        if (present === undefined || underWay.has(text)) {
          if (!underWay.has(text) && scanned.forget(text)) return
          return yield* new NotFound({ resource: "stream", id: text })
        }
        return yield* meanwhile(text)(forget(text, present))
      })

      const seen = (streams: ReadonlyArray<SeenStream>) =>
        Effect.map(Clock.currentTimeMillis, (now) =>
          scanned.see(
            streams.filter(({ url }) => !added.has(url.text)),
            now
          )
        )

      return ExternalStreams.of({
        list: () => [...Array.from(added.values(), ({ camera }) => knownOf(camera)), ...scanned.list()],
        ofCamera: (camera) => {
          for (const one of added.values()) if (one.camera.id === camera) return knownOf(one.camera)
          return undefined
        },
        add,
        remove,
        seen
      })
    })
  )
}

interface Added {
  readonly camera: NetworkCamera
  readonly scope: Scope.Closeable
}
