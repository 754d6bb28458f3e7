import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Devices } from "../../src/device/Devices.ts"
import type { MediaMtx } from "../../src/process/MediaMtx.ts"
import { MediaMtxApi } from "../../src/process/MediaMtxApi.ts"
import type { Codec, LiveStream, StreamState } from "../../src/stream/LiveStream.ts"
import { Paths } from "../../src/stream/Paths.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { type Place, plugIn } from "../support/App.ts"
import { children, Ground, running, until } from "../support/Ground.ts"

type App = Ground | Streams | Paths | Devices | MediaMtxApi | MediaMtx

export const stateOf = (stream: LiveStream): StreamState => SubscriptionRef.getUnsafe(stream.state)

/** What its SPS says, once that was read. */
export const codecOf = (stream: LiveStream): Codec | undefined => {
  const state = stateOf(stream)
  return state._tag === "Ready" ? state.codec : undefined
}

const readySince = (stream: LiveStream): number | undefined => {
  const state = stateOf(stream)
  return state._tag === "Ready" ? state.since.monotonic : undefined
}

export const untilReady = (stream: LiveStream) =>
  until(
    "the stream is ready",
    Effect.sync(() => stateOf(stream)._tag === "Ready")
  )

/** The camera's stream, ready, for as long as the test's scope lives. */
export const readyStream = Effect.fnUntraced(function* (camera: string) {
  const streams = yield* Streams
  const stream = yield* streams.lease(camera, "viewer")
  yield* untilReady(stream)
  return stream
})

const publisher = Effect.map(running("publish"), ([child]) => child)

/** What streams promise, on any ground. */
export const streamBehaviour = (name: string, { test }: Place<App>) =>
  describe(name, () => {
    test(
      "one FFmpeg serves everybody who needs the camera",
      Effect.gen(function* () {
        const streams = yield* Streams
        const camera = yield* plugIn()
        const stream = yield* readyStream(camera)
        assert.strictEqual(yield* streams.lease(camera, "viewer"), stream)
        assert.strictEqual(yield* streams.lease(camera, "snapshot"), stream)
        yield* until("pictures come", Effect.sync(stream.pictures.latest))
        assert.lengthOf(yield* children("publish"), 1)
      })
    )

    test(
      "nothing runs for an idle camera, and its path is there",
      Effect.gen(function* () {
        const paths = yield* Paths
        const camera = yield* plugIn()
        yield* until(
          "the path",
          Effect.sync(() => paths.exists(camera))
        )
        assert.lengthOf(yield* children("publish"), 0)
      })
    )

    test(
      "FFmpeg is gone when the last need is over, and MediaMTX has no stream",
      Effect.gen(function* () {
        const api = yield* MediaMtxApi
        const streams = yield* Streams
        const camera = yield* plugIn()
        yield* Effect.scoped(readyStream(camera))
        yield* until(
          "FFmpeg is gone",
          Effect.map(running("publish"), (all) => all.length === 0)
        )
        assert.isUndefined(streams.current(camera))
        yield* until(
          "MediaMTX noticed",
          Effect.map(api.getPath(camera), (path) => Option.isSome(path) && !path.value.ready)
        )
      }),
      { streams: { viewer_linger_seconds: 0 } }
    )

    test(
      "FFmpeg that is killed is told with its signal, and started again",
      Effect.gen(function* () {
        const camera = yield* plugIn()
        const stream = yield* readyStream(camera)
        const first = yield* until("FFmpeg", publisher)
        yield* first.kill
        const state = yield* until(
          "the loss is told",
          Effect.sync(() => "reason" in stateOf(stream) && stateOf(stream))
        )
        assert.deepInclude(state, { _tag: "Starting" })
        assert.include(JSON.stringify(state), "SIGKILL")
        yield* untilReady(stream)
        assert.lengthOf(yield* children("publish"), 2)
        assert.strictEqual(stream.restarts, 1)
        assert.isFalse(first.running())
      })
    )

    test(
      "FFmpeg that froze is told while it is still there, and another one takes its place",
      Effect.gen(function* () {
        const camera = yield* plugIn()
        const stream = yield* readyStream(camera)
        yield* until(
          "frames are counted",
          Effect.sync(() => (stream.run?.published?.frames ?? 0) > 0)
        )
        const first = yield* until("FFmpeg", publisher)
        yield* first.freeze
        const state = yield* until(
          "the stall is told",
          Effect.sync(() => "reason" in stateOf(stream) && stateOf(stream))
        )
        assert.match(JSON.stringify(state), /no frame for [12] s/)
        assert.isTrue(first.running())
        yield* untilReady(stream)
        assert.isFalse(first.running())
        assert.lengthOf(yield* running("publish"), 1)
      }),
      { streams: { stall_seconds: 1 } }
    )

    test(
      "a stream that is needed again while it closes starts once the old FFmpeg is gone",
      Effect.gen(function* () {
        const streams = yield* Streams
        const camera = yield* plugIn()
        const first = yield* Scope.make()
        const old = yield* readyStream(camera).pipe(Scope.provide(first))
        const oldFfmpeg = yield* until("FFmpeg", publisher)
        yield* oldFfmpeg.freeze
        yield* Effect.forkScoped(Scope.close(first, Exit.void))
        yield* until(
          "the old one closes",
          Effect.sync(() => stateOf(old)._tag === "Stopping")
        )
        const stream = yield* streams.lease(camera, "viewer")
        assert.notStrictEqual(stream, old)
        assert.isTrue(oldFfmpeg.running())
        assert.lengthOf(yield* children("publish"), 1)
        yield* untilReady(stream)
        assert.isFalse(oldFfmpeg.running())
        assert.lengthOf(yield* children("publish"), 2)
        assert.strictEqual(streams.current(camera), stream)
      }),
      { streams: { viewer_linger_seconds: 0 } }
    )

    test(
      "MediaMTX comes back: the paths are there again, and the stream that ran runs",
      Effect.gen(function* () {
        const ground = yield* Ground
        const api = yield* MediaMtxApi
        const camera = yield* plugIn(0)
        const idle = yield* plugIn(1)
        const stream = yield* readyStream(camera)
        // what a Ready stream's SPS says comes later: it is another state, and no loss
        const since = readySince(stream)
        yield* ground.crashMediaMtx
        yield* until(
          "the stream's loss is noticed",
          Effect.sync(() => readySince(stream) !== since)
        )
        yield* untilReady(stream)
        const present = (yield* api.listPathConfigs).map((config) => config.name)
        assert.includeMembers(present, [camera, idle])
        assert.lengthOf(yield* running("publish"), 1)
      })
    )

    test(
      "a camera that goes away ends its FFmpeg's restarts until it is back",
      Effect.gen(function* () {
        const plugged = yield* Scope.make()
        const camera = yield* plugIn().pipe(Scope.provide(plugged))
        const stream = yield* readyStream(camera)
        yield* Scope.close(plugged, Exit.void)
        const ffmpeg = yield* until("FFmpeg", publisher)
        yield* ffmpeg.kill
        yield* until(
          "the loss is told",
          Effect.sync(() => stateOf(stream)._tag === "Starting")
        )
        for (let i = 0; i < 50; i++) yield* (yield* Ground).step
        assert.lengthOf(yield* children("publish"), 1)
        yield* plugIn()
        yield* untilReady(stream)
        assert.lengthOf(yield* children("publish"), 2)
      })
    )

    test(
      "a camera that is away cannot be leased, and one that never was is not found",
      Effect.gen(function* () {
        const streams = yield* Streams
        const camera = yield* Effect.scoped(plugIn())
        const away = yield* Effect.flip(Effect.scoped(streams.lease(camera, "viewer")))
        assert.deepInclude(away, { _tag: "InvalidState", state: "DISCONNECTED" })
        const unknown = yield* Effect.flip(Effect.scoped(streams.lease("camera77", "viewer")))
        assert.deepInclude(unknown, { _tag: "NotFound", id: "camera77" })
      })
    )

    test(
      "whoever follows streams hears of each change, also of one that ends as soon as it began",
      Effect.gen(function* () {
        const { facts, lease } = yield* Streams
        const told: Array<string> = []
        yield* facts.follow((fact) =>
          Effect.sync(() => told.push(fact._tag === "StreamChanged" ? fact.state._tag : fact._tag))
        )
        const camera = yield* plugIn()
        yield* Effect.scoped(lease(camera, "recording"))
        yield* until(
          "its end",
          Effect.sync(() => told.at(-1) === "StreamEnded")
        )
        assert.deepStrictEqual(told, ["StreamStarted", "Stopping", "StreamEnded"])
      })
    )

    test(
      "whoever follows a stream hears its end",
      Effect.gen(function* () {
        const camera = yield* plugIn()
        const scope = yield* Scope.make()
        const stream = yield* readyStream(camera).pipe(Scope.provide(scope))
        yield* Scope.close(scope, Exit.void)
        yield* until(
          "Stopping",
          Effect.sync(() => stateOf(stream)._tag === "Stopping")
        )
        const last = yield* Stream.runHead(SubscriptionRef.changes(stream.state))
        assert.deepStrictEqual(Option.getOrUndefined(last), { _tag: "Stopping" })
      }),
      { streams: { viewer_linger_seconds: 0 } }
    )
  })
