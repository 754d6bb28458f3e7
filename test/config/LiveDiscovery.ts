import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import { Settings } from "../../src/config/Settings.ts"
import { Discovery } from "../../src/external/Discovery.ts"
import { asTimePasses } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import type { Rows } from "./LiveRows.ts"

/** How many streams there are where they are looked for now. */
const found = Effect.gen(function* () {
  const { scan } = yield* Discovery
  const { streams } = yield* asTimePasses(scan({ skydio: true, generic: true, onvif: false }, true))
  // until the next scan may begin
  yield* TestClock.adjust("5 seconds")
  return streams.length
})

const becomesFound = (address: string, port: number, value: unknown): Rows[string] =>
  Effect.fnUntraced(function* (change) {
    yield* (yield* TestGround).rtspCameras.start(address, port)
    assert.strictEqual(yield* found, 0)
    yield* change(value)
    assert.isAbove(yield* found, 0)
  })

export const discoveryRows: Rows = {
  "discovery.skydio_ranges": becomesFound("10.1.1.9", 5554, ["10.1.1.9"]),
  "discovery.skydio_streams": becomesFound("192.168.42.10", 7554, ["7554/subject"]),
  "discovery.generic_ranges": becomesFound("10.1.1.9", 8554, ["10.1.1.8/30"]),
  "discovery.generic_streams": Effect.fnUntraced(function* (change) {
    yield* (yield* TestGround).rtspCameras.start("10.1.1.9", 7554)
    const { live } = yield* Settings
    // a change of one key sets the others back
    const looked = Effect.andThen(
      SubscriptionRef.update(live, (all) => ({
        ...all,
        discovery: { ...all.discovery, generic_ranges: ["10.1.1.8/30"] }
      })),
      found
    )
    assert.strictEqual(yield* looked, 0)
    yield* change(["7554/live"])
    assert.isAbove(yield* looked, 0)
  })
}
