import { assert, describe } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { meanLuma } from "../../src/media/Luma.ts"
import { take } from "../suites/snapshots.ts"
import { readyStream } from "../suites/streams.ts"
import { disturb, onFakes, plugIn, plugInUsb } from "../support/App.ts"
import { running, until } from "../support/Ground.ts"

const dark = 24
const brightness = ({ picture }: { readonly picture: { readonly jpeg: Buffer } }) => meanLuma(picture.jpeg) ?? 0

describe("a camera that wakes and is dark at first", () => {
  onFakes(
    "gives no dark picture when its stream is started for one",
    Effect.gen(function* () {
      yield* disturb({ darkMillis: 700 })
      const snapshot = yield* take({ camera: yield* plugInUsb() })
      assert.strictEqual(snapshot.capture.name, "activated")
      assert.isAbove(brightness(snapshot), dark)
    })
  )

  onFakes(
    "shows nobody a dark picture of its stream, and is known to be alive all the same",
    Effect.gen(function* () {
      yield* disturb({ darkMillis: 700 })
      const stream = yield* readyStream(yield* plugInUsb())
      yield* until(
        "a picture came",
        Effect.sync(() => stream.run?.pictureAt)
      )
      assert.isUndefined(stream.pictures.latest())
      const first = yield* until("a picture is shown", Effect.sync(stream.pictures.latest))
      assert.isAbove(brightness({ picture: yield* first.picture }), dark)
    })
  )

  onFakes(
    "is read directly until it is bright, and then no longer",
    Effect.gen(function* () {
      yield* disturb({ failStarts: 1000 })
      yield* disturb({ darkMillis: 700 })
      const snapshot = yield* take({ camera: yield* plugInUsb() })
      assert.strictEqual(snapshot.capture.name, "direct")
      assert.isAbove(brightness(snapshot), dark)
      yield* until(
        "FFmpeg is gone",
        Effect.map(running("direct"), (all) => all.length === 0)
      )
    })
  )
})

describe("a camera in a dark room", () => {
  onFakes(
    "gives its dark picture within 3 s of its stream",
    Effect.gen(function* () {
      yield* disturb({ darkMillis: 60_000 })
      const camera = yield* plugInUsb()
      const before = yield* Clock.currentTimeMillis
      const streamed = yield* take({ camera })
      assert.strictEqual(streamed.capture.name, "activated")
      assert.isBelow(brightness(streamed), dark)
      assert.isBelow((yield* Clock.currentTimeMillis) - before, 4000)
    })
  )

  onFakes(
    "gives it directly too",
    Effect.gen(function* () {
      yield* disturb({ failStarts: 1000 })
      yield* disturb({ darkMillis: 60_000 })
      const direct = yield* take({ camera: yield* plugInUsb() })
      assert.strictEqual(direct.capture.name, "direct")
      assert.isBelow(brightness(direct), dark)
    })
  )
})

onFakes(
  "a synthetic camera is not waited for",
  Effect.gen(function* () {
    yield* disturb({ darkMillis: 60_000 })
    const snapshot = yield* take({ camera: yield* plugIn() })
    assert.isBelow(snapshot.captureMs, 500)
  })
)
