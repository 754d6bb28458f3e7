import { assert, it } from "@effect/vitest"
import { afterEach, beforeEach, vi } from "vitest"
import type { Offer } from "../../src/console/live/Offer.ts"

interface FirstOffer {
  readonly firstAnswer: Promise<unknown> | undefined
  readonly takeFirstOffer: (device: string) => Offer | undefined
}

let count = 0
/** The script as a browser runs it: anew with each page. */
const load = async (): Promise<FirstOffer> =>
  (await import(/* @vite-ignore */ `../../src/console/live/FirstOffer.ts?page=${++count}`)) as FirstOffer

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal("location", new URL("http://here/#token=ours"))
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
    vi.stubGlobal("window", globalThis)
    vi.stubGlobal("MediaStream", EventTarget)
    vi.stubGlobal("RTCPeerConnection", value)
    const { firstAnswer, takeFirstOffer } = await load()
    assert.isUndefined(firstAnswer)
    assert.isUndefined(takeFirstOffer("camera0"))
  })
}
