import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { settle } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { connectAs, tokenFor } from "../rpc/Harness.ts"
import { onFakes } from "../support/App.ts"
import { until } from "../support/Ground.ts"
import { bearer, visit } from "../support/StreamVisitor.ts"
import { beginDownload, filename, longRecording } from "../support/LongRecording.ts"

const statusOf = (credential: string, address?: string) =>
  Effect.map(beginDownload(credential, address), ({ status }) => status)

describe("downloads at once", () => {
  onFakes(
    "are so many for one user, whose further ones are told when to come again, and counted",
    Effect.gen(function* () {
      yield* longRecording
      const [viewer, operator] = [yield* tokenFor("viewer"), yield* tokenFor("operator")]
      const first = yield* Effect.acquireRelease(Scope.make(), () => Effect.void)
      yield* Scope.provide(beginDownload(viewer), first)
      yield* beginDownload(viewer, "192.0.2.2")
      const refused = yield* beginDownload(viewer)
      assert.strictEqual(refused.status, 429)
      assert.strictEqual(refused.headers["retry-after"], "1")
      assert.include(yield* Stream.mkString(Stream.decodeText(refused.body)), "Too many downloads")
      assert.strictEqual(yield* statusOf(operator), 200)
      yield* Scope.close(first, yield* Effect.exit(Effect.void))
      yield* until(
        "one has ended",
        Effect.map(Effect.scoped(statusOf(viewer)), (status) => status === 200)
      )
      const { visitors } = yield* TestGround
      const { body } = yield* visitors.ask(8003, { target: "/metrics" })
      const metrics = yield* Stream.mkString(Stream.decodeText(body))
      assert.match(metrics, /camera_limit_refusals_total\{limit="server.max_downloads_per_user"\} [1-9]/)
    }),
    { server: { max_downloads_per_user: 2 } }
  )

  onFakes(
    "are so many for one address, whoever comes from there, and without end for this machine",
    Effect.gen(function* () {
      yield* longRecording
      const [viewer, operator] = [yield* tokenFor("viewer"), yield* tokenFor("operator")]
      assert.strictEqual(yield* statusOf(viewer, "2001:db8::1"), 200)
      assert.strictEqual(yield* statusOf(operator, "2001:db8::2"), 429)
      assert.strictEqual(yield* statusOf(operator, "192.0.2.1"), 200)
      for (let n = 0; n < 3; n++) assert.strictEqual(yield* statusOf(operator, "127.0.0.1"), 200)
    }),
    { server: { max_downloads_per_address: 1 } }
  )

  onFakes(
    "are counted together, of whatever kind they are",
    Effect.gen(function* () {
      yield* longRecording
      const viewer = yield* tokenFor("viewer")
      assert.strictEqual(yield* statusOf(viewer), 200)
      const time = "from=2026-01-02T03:04:00Z&to=2026-01-02T03:05:00Z"
      const refused = yield* visit({ target: `/export/camera0?${time}`, headers: bearer(viewer) })
      assert.strictEqual(refused.status, 429)
      assert.strictEqual(refused.headers["retry-after"], "1")
      const thumbnail = yield* visit({ target: "/thumbnails/camera0/1767323040.jpg", headers: bearer(viewer) })
      assert.strictEqual(thumbnail.status, 429)
    }),
    { server: { max_downloads_per_user: 1 } }
  )

  onFakes(
    "hold up nobody who deletes the file: they break off",
    Effect.gen(function* () {
      yield* longRecording
      const { body, status } = yield* beginDownload(yield* tokenFor("viewer"))
      assert.strictEqual(status, 200)
      const client = yield* connectAs("operator")
      const reply = yield* client.call({ jsonrpc: "2.0", id: 1, method: "delete_recording", params: { filename } })
      assert.deepInclude(reply, { result: { filename, deleted: true, message: "the recording is deleted" } })
      yield* settle
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(body)))._tag, "CutOff")
      assert.strictEqual(yield* statusOf(yield* tokenFor("viewer")), 404)
    })
  )
})
