import { assert, it } from "@effect/vitest"
import { afterEach, beforeEach, vi } from "vitest"
import type * as FirstOffer from "../../src/console/live/FirstOffer.ts"
import { fakeWebRtc } from "../support/FakeWebRtc.ts"
import { moduleOfPage } from "../support/PageModule.ts"

const bearer = "Bearer ours"

const load = () => moduleOfPage<typeof FirstOffer>("live/FirstOffer.ts")

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal("location", new URL("http://here/#token=ours"))
  vi.stubGlobal("document", { visibilityState: "visible" })
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

class Forbidden extends EventTarget {
  constructor() {
    super()
    throw new Error("not allowed here")
  }
}

for (const [what, value] of [
  ["is switched off", undefined],
  ["is forbidden", Forbidden]
] as const) {
  it(`where WebRTC ${what} there is no first offer, and the page begins all the same`, async () => {
    vi.stubGlobal("MediaStream", EventTarget)
    vi.stubGlobal("RTCPeerConnection", value)
    const { firstAnswer, takeFirstOffer } = await load()
    await firstAnswer()
    assert.isUndefined(takeFirstOffer("camera0", bearer))
  })
}

const asked = ["POST /whep/camera0"]
const ended = [...asked, "DELETE /whep/camera0/1"]

it("the first offer goes to the tile that asks for it, once, and is left alone from then on", async () => {
  const { open, requests } = fakeWebRtc()
  const { firstAnswer, takeFirstOffer } = await load()
  await firstAnswer()
  assert.isUndefined(takeFirstOffer("camera1", bearer))
  assert.isDefined(takeFirstOffer("camera0", bearer))
  assert.isUndefined(takeFirstOffer("camera0", bearer))
  await vi.advanceTimersByTimeAsync(10_000)
  assert.deepStrictEqual(requests, asked)
  assert.strictEqual(open(), 1)
})

it("a first offer that no tile takes is taken back, and leaves no reader", async () => {
  const { open, requests } = fakeWebRtc()
  const { firstAnswer, takeFirstOffer } = await load()
  await firstAnswer()
  assert.deepStrictEqual(requests, asked)
  await vi.advanceTimersByTimeAsync(5000)
  assert.deepStrictEqual(requests, ended)
  assert.strictEqual(open(), 0)
  assert.isUndefined(takeFirstOffer("camera0", bearer))
})

it("a tab that is closed before a tile takes the first offer leaves no reader", async () => {
  const { leave, requests } = fakeWebRtc()
  await (await load()).firstAnswer()
  leave()
  assert.deepStrictEqual(requests, ended)
})

it("a link that is opened in the background wakes no camera", async () => {
  vi.stubGlobal("document", { visibilityState: "hidden" })
  const { requests } = fakeWebRtc()
  const { firstAnswer, takeFirstOffer } = await load()
  await firstAnswer()
  assert.isUndefined(takeFirstOffer("camera0", bearer))
  assert.deepStrictEqual(requests, [])
})

it("a wall that begins with another camera wakes that one alone", async () => {
  vi.stubGlobal("localStorage", { getItem: () => '["camera1","camera0"]' })
  const { open, requests } = fakeWebRtc()
  const { firstAnswer, takeFirstOffer } = await load()
  await firstAnswer()
  await vi.advanceTimersByTimeAsync(10_000)
  assert.isUndefined(takeFirstOffer("camera0", bearer))
  assert.deepStrictEqual(requests, [])
  assert.strictEqual(open(), 0)
})

it("who logs in as somebody else meanwhile is not shown what the link opened", async () => {
  const { requests } = fakeWebRtc()
  const { firstAnswer, takeFirstOffer } = await load()
  await firstAnswer()
  assert.isUndefined(takeFirstOffer("camera0", "Bearer another"))
  await vi.advanceTimersByTimeAsync(5000)
  assert.deepStrictEqual(requests, ended)
})
