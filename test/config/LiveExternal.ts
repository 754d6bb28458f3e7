import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ExternalStreams } from "../../src/external/ExternalStreams.ts"
import { parseStreamUrl } from "../../src/external/StreamUrl.ts"
import { asTimePasses } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import type { Rows } from "./LiveRows.ts"

/** Adds this stream; gives why it is not added. */
const add = Effect.fnUntraced(function* (text: string) {
  const streams = yield* ExternalStreams
  const url = yield* Effect.fromResult(parseStreamUrl(text))
  const added = yield* asTimePasses(Effect.result(streams.add({ url, type: "generic_rtsp", name: "Gate" })))
  return added._tag === "Success" ? undefined : added.failure._tag
})

export const externalRows: Rows = {
  "external.allowed_hosts": Effect.fnUntraced(function* (change) {
    assert.strictEqual(yield* add("rtsp://127.0.0.2/live"), "InvalidParams")
    yield* change(["127.0.0.0/8"])
    assert.isUndefined(yield* add("rtsp://127.0.0.2/live"))
  }),

  "external.allow_basic_over_plaintext": Effect.fnUntraced(function* (change) {
    const { rtspCameras } = yield* TestGround
    const { disturb } = yield* rtspCameras.start("192.168.1.64")
    yield* disturb({ login: { user: "admin", password: "secret", way: "Basic" } })
    const url = "rtsp://admin:secret@192.168.1.64/live"
    assert.strictEqual(yield* add(url), "DependencyFailed")
    yield* change(true)
    assert.isUndefined(yield* add(url))
  })
}
