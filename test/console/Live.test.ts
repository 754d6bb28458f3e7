import { assert, beforeEach, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { afterEach, vi } from "vitest"
import type { LiveState } from "../../src/console/live/Live.ts"
import { fakeWebRtc, settled } from "../support/FakeWebRtc.ts"

beforeEach(() => {
  vi.stubGlobal("location", new URL("http://here/"))
})
afterEach(() => {
  vi.unstubAllGlobals()
})

/** A video element: of its frames `count` have been shown. */
const makeVideo = () => {
  const frames = { count: 0 }
  const video = {
    ...{ srcObject: null, videoWidth: 640, videoHeight: 480, readyState: 4 },
    play: () => Promise.resolve(),
    requestVideoFrameCallback: (shown: () => void) => (frames.count === 0 ? (frames.count++, shown(), 1) : 2),
    cancelVideoFrameCallback: () => undefined,
    getVideoPlaybackQuality: () => ({ totalVideoFrames: frames.count })
  }
  vi.stubGlobal("HTMLMediaElement", { HAVE_CURRENT_DATA: 2 })
  vi.stubGlobal("document", { createElement: () => ({ getContext: () => null }) })
  return { frames, video: video as unknown as HTMLVideoElement }
}

/** A tile of this camera, as long as the test goes on, and what it has told. */
const watch = Effect.fnUntraced(function* (device: string, video: HTMLVideoElement, isFaulty = () => false) {
  const { live } = yield* Effect.promise(() => import("../../src/console/live/Live.ts"))
  const { Session } = yield* Effect.promise(() => import("../../src/console/session/Session.ts"))
  const told: Array<LiveState> = []
  yield* Effect.acquireRelease(
    Effect.forkDetach(live(device, video, new Session("ws://here/ws"), (state) => told.push(state), isFaulty)),
    // a connection is closed in its turn, which takes time
    (watching) => Effect.all([Fiber.interrupt(watching), pass("1 second")], { concurrency: 2, discard: true })
  )
  return told
})

/** Time passes, and what the browser does by itself goes on. */
const pass = Effect.fnUntraced(function* (time: Duration.Input) {
  const end = (yield* Clock.currentTimeMillis) + Duration.toMillis(Duration.fromInputUnsafe(time))
  while ((yield* Clock.currentTimeMillis) < end) {
    for (let turn = 0; turn < 5; turn++) yield* settled
    yield* TestClock.adjust("50 millis")
  }
})

describe("a live picture", () => {
  it.effect("without a service says why there is none, however often it is tried", () =>
    Effect.gen(function* () {
      fakeWebRtc()
      let tries = 0
      vi.stubGlobal("fetch", () => Promise.reject(new TypeError(`no answer ${++tries}`)))
      const told = yield* watch("camera0", makeVideo().video)
      yield* pass("10 seconds")
      assert.isAbove(tries, 4)
      const [first, ...others] = told.map(({ _tag }) => _tag)
      assert.deepStrictEqual([first, ...new Set(others)], ["Starting", "Waiting"])
    })
  )

  it.effect("that stops leaves its last frame, as old as that is, and not as when it was missed", () =>
    Effect.gen(function* () {
      fakeWebRtc()
      const { frames, video } = makeVideo()
      const told = yield* watch("camera1", video)
      const { stills } = yield* Effect.promise(() => import("../../src/console/live/Still.ts"))
      yield* pass("1 second")
      for (let frame = 0; frame < 20; frame++) {
        frames.count++
        yield* pass("50 millis")
      }
      assert.strictEqual(told.at(-1)?._tag, "Playing")
      const last = yield* Clock.currentTimeMillis
      while (told.at(-1)?._tag === "Playing") yield* pass("50 millis")
      assert.isAtLeast(yield* Clock.currentTimeMillis, last + 2500)
      assert.closeTo(stills.peek().get("camera1")?.at ?? 0, last, 300)
    })
  )

  it.effect("of a camera that the service says is at fault is given up within a second of its last frame", () =>
    Effect.gen(function* () {
      fakeWebRtc()
      const { frames, video } = makeVideo()
      let isFaulty = false
      const told = yield* watch("camera2", video, () => isFaulty)
      yield* pass("1 second")
      frames.count++
      yield* pass("250 millis")
      assert.strictEqual(told.at(-1)?._tag, "Playing")
      isFaulty = true
      yield* pass("1 second")
      assert.notStrictEqual(told.at(-1)?._tag, "Playing")
    })
  )
})
