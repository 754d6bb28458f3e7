import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { afterEach, beforeEach, vi } from "vitest"
import { eventually } from "../support/Eventually.ts"
import { fakeWebRtc, settled } from "../support/FakeWebRtc.ts"

beforeEach(() => {
  vi.stubGlobal("location", new URL("http://here/"))
})
afterEach(() => {
  vi.unstubAllGlobals()
})

/** Not before there is a page for it. */
const openWhep = Effect.flatMap(
  Effect.promise(() => import("../../src/console/live/Whep.ts")),
  ({ whep }) => whep("camera0", "Bearer ours")
)

it.live("a browser without WebRTC says so, and that another way may do", () =>
  Effect.gen(function* () {
    vi.stubGlobal("MediaStream", EventTarget)
    vi.stubGlobal("RTCPeerConnection", undefined)
    const { kind, reason } = yield* Effect.flip(openWhep)
    assert.deepStrictEqual({ kind, reason }, { kind: "unplayable", reason: "this browser has no WebRTC" })
  })
)

it.live("who leaves while the browser takes the answer leaves no session behind", () =>
  Effect.gen(function* () {
    const { open, requests } = fakeWebRtc(new Promise(() => undefined))
    const watching = yield* Effect.forkChild(Effect.scoped(openWhep), { startImmediately: true })
    yield* eventually(
      "it is asked for",
      Effect.sync(() => requests.length === 1)
    )
    yield* settled
    yield* Fiber.interrupt(watching)
    assert.deepStrictEqual(requests, ["POST /whep/camera0", "DELETE /whep/camera0/1"])
    assert.strictEqual(open(), 0)
  })
)

it.live("a tab that is closed ends what it watches", () =>
  Effect.gen(function* () {
    const { leave, requests } = fakeWebRtc()
    yield* openWhep
    leave()
    assert.deepStrictEqual(requests, ["POST /whep/camera0", "DELETE /whep/camera0/1"])
  })
)
