import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { indexed } from "../storage/Workbench.ts"
import { onFakes } from "../support/App.ts"
import { connect, resultOf, token } from "../support/RpcVisitor.ts"

interface Told {
  readonly resolution_seconds: number
  readonly cameras: ReadonlyArray<{ readonly spans: ReadonlyArray<object> }>
}

describe("what was recorded", () => {
  onFakes(
    "is told with the gaps of more than a second, and no finer than it says",
    Effect.gen(function* () {
      const index = yield* FileIndex
      const start = Date.UTC(2026, 0, 2, 3, 4)
      // gaps of 0.9 s and of 1.1 s
      for (const [i, from] of [0, 10_900, 22_000].entries()) {
        const created = start + from
        const filename = `camera0_${i}.mp4`
        yield* index.put(indexed({ filename, device: "camera0", created, modified: created + 10_000, duration: 10 }))
      }
      const call = yield* connect(yield* token({ role: "viewer" }))
      for (const [asked, told, spans] of [
        [0, 1, 2],
        [0.1, 1, 2],
        [1.05, 1.05, 2],
        [5, 5, 1]
      ] as const) {
        const period = { from: "2026-01-02T03:04:00Z", to: "2026-01-02T03:05:00Z", resolution_seconds: asked }
        const { cameras, resolution_seconds } = resultOf<Told>(yield* call("get_recorded_spans", period))
        assert.deepStrictEqual([resolution_seconds, cameras[0]?.spans.length], [told, spans], String(asked))
      }
    })
  )
})
