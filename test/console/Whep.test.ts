import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { afterEach, beforeEach, vi } from "vitest"

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
