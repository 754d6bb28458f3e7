import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import type { CameraClient } from "../../schema/client/CameraClient.ts"
import { clockOf } from "../support/ClockPicture.ts"
import { signal } from "../support/Processes.ts"
import { clientOf, SharedService } from "../support/Service.ts"

/** How far what the reply says may be from what the picture shows: the way through FFmpeg and its pipe. */
const tolerance = 150
/** The first frame of a cold camera waits inside FFmpeg until its outputs are open: some 100 to 200 ms (measured). */
const coldTolerance = 300

const operator = Effect.gen(function* () {
  const service = yield* SharedService
  return yield* clientOf(service, { role: "operator" })
})

/** Takes a picture, and holds what the reply says of its time against the clock in the picture. */
const takeAndCheck = Effect.fnUntraced(function* (
  client: CameraClient["Service"],
  params: { readonly device: string; readonly max_age_ms: number },
  within = tolerance
) {
  const { folder } = (yield* SharedService).ground
  const asked = Date.now()
  const taken = yield* client.call.take_snapshot(params)
  const answered = Date.now()
  const said = Date.parse(taken.timestamp)
  const shown = yield* clockOf(join(folder, "snapshots", taken.filename), taken.width, answered)
  assert.approximately(said, shown, within, "timestamp")
  // the age is that at the moment when the picture was chosen: some time during the call
  assert.isAtLeast(said + taken.age_ms, asked - 1, "age_ms")
  assert.isAtMost(said + taken.age_ms, answered + 1, "age_ms")
  assert.isAtMost(taken.capture_ms, answered - asked + 1)
  return { ...taken, said, shown, asked }
})

layer(SharedService.layer(), { timeout: "120 seconds", excludeTestServices: true })(
  "a snapshot tells the truth about its time",
  (it) => {
    it.effect("when the camera was idle", () =>
      Effect.gen(function* () {
        const taken = yield* takeAndCheck(yield* operator, { device: "camera0", max_age_ms: 0 }, coldTolerance)
        assert.strictEqual(taken.tier_name, "activated")
        assert.isAtLeast(taken.shown, taken.asked)
      })
    )

    it.effect("when the picture was at hand, or is to be captured after the call", () =>
      Effect.gen(function* () {
        const client = yield* operator
        yield* client.call.start_streaming({ device: "camera0" })
        yield* client.call.take_snapshot({ device: "camera0" })
        for (let round = 0; round < 5; round++) {
          const atHand = yield* takeAndCheck(client, { device: "camera0", max_age_ms: 5000 })
          assert.strictEqual(atHand.tier_name, "live")
          const fresh = yield* takeAndCheck(client, { device: "camera0", max_age_ms: 0 })
          assert.strictEqual(fresh.tier_name, "live")
          assert.isAtLeast(fresh.said, fresh.asked)
        }
      })
    )

    it.effect("when MediaMTX hangs and the picture comes straight from the camera", () =>
      Effect.gen(function* () {
        const { ground } = yield* SharedService
        const client = yield* operator
        const [mediaMtx] = ground.running("mediamtx")
        yield* Effect.acquireRelease(
          Effect.sync(() => signal(mediaMtx?.pid ?? 0, "SIGSTOP")),
          () => Effect.sync(() => signal(mediaMtx?.pid ?? 0, "SIGCONT"))
        )
        const taken = yield* takeAndCheck(client, { device: "camera1", max_age_ms: 0 }, coldTolerance)
        assert.include(["activated", "direct"], taken.tier_name)
      })
    )
  }
)
