import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { record } from "../../src/cli/Record.ts"
import { StandardFolders } from "../../src/storage/DataFolder.ts"
import { realGround } from "../support/Ground.ts"
import { otherEnd } from "./OtherEnd.ts"

const start_time = "2026-01-02T03:04:05.000Z"
const fileOf = (filename: string, modified_time: string, device = "camera0") => ({
  ...{ filename, device, file_size: 10, modified_time, download_url: "http://box/files" }
})
const files = [
  fileOf("two.mp4", "2026-01-02T03:05:00.000Z"),
  fileOf("other.mp4", "2026-01-02T03:05:00.000Z", "camera1"),
  fileOf("one.mp4", "2026-01-02T03:04:20.000Z"),
  fileOf("before.mp4", "2026-01-01T00:00:00.000Z")
]
const notFound = { resource: "camera", id: "camera0" }
const stopped = {
  ...{ device: "camera0", filename: "one.mp4", format: "fmp4", start_time, end_time: start_time, duration: 4 },
  ...{ file_size: 20, files: ["one.mp4", "two.mp4"], status: "STOPPED" }
}

/** Records for so long, while the service tells this of it; gives what was printed and said. */
const recorded = Effect.fnUntraced(
  function* (updates: ReadonlyArray<object>, stop: "stops" | "is over" | "is removed", time?: string) {
    const service = yield* otherEnd((method) => {
      if (method === "list_recordings") return { result: { files, total: files.length, limit: 1000, offset: 0 } }
      if (method === "start_recording") {
        // what is said of an older one is not of this
        for (const update of [{ status: "STOPPED" }, { status: "STARTING" }, ...updates]) {
          service.notify("recording_status_update", { device: "camera0", filename: "one.mp4", duration: 1, ...update })
        }
        return { result: { device: "camera0", filename: "one.mp4", status: "RECORDING", start_time, format: "fmp4" } }
      }
      if (stop === "stops") return { result: stopped }
      if (stop === "is removed") return { error: { code: -32010, message: "Not Found", data: notFound } }
      const data = { state: "STOPPED", allowed_states: ["RECORDING"] }
      return { error: { code: -32020, message: "Invalid State", data } }
    })
    const exit = yield* Effect.result(record({ device: "camera0", time }, service.request, service.from))
    return {
      said: exit._tag === "Failure" ? exit.failure.message : "",
      printed: service.printed.join(""),
      aside: service.aside.join("\n"),
      calls: service.calls
    }
  },
  Effect.scoped,
  Effect.provideService(StandardFolders, []),
  Effect.provide(realGround)
)

describe("a recording of the shell", () => {
  it.live("that somebody stops ends then, with its files and the word of it", () =>
    Effect.gen(function* () {
      const { calls, printed, said } = yield* recorded([{ status: "RECORDING" }, { status: "STOPPED" }], "is over")
      assert.strictEqual(printed, "recording camera0 until Ctrl-C\none.mp4\ntwo.mp4\n")
      assert.strictEqual(said, "the recording of camera0 has ended before its time: somebody stopped it")
      assert.notInclude(calls, "stop_recording")
    })
  )

  it.live("that the service ends says why", () =>
    Effect.gen(function* () {
      const why = "the camera was removed"
      const { said } = yield* recorded([{ status: "STOPPED", reason: why }], "is over", "9m")
      assert.include(said, why)
    })
  )

  it.live("whose camera goes away goes on with it, and is not told as if all were well", () =>
    Effect.gen(function* () {
      const reason = "the camera was unplugged; the recording goes on by itself if it is back within 30 s"
      const { aside, printed, said } = yield* recorded([{ status: "STOPPED", reason }], "stops", "1s")
      assert.strictEqual(aside, reason)
      assert.include(printed, "one.mp4\ntwo.mp4  (4 s, 20 B)")
      assert.include(said, "is not as it should be: the camera was unplugged")
    })
  )

  it.live("whose camera is removed names the file that is there", () =>
    Effect.gen(function* () {
      const { printed, said } = yield* recorded([], "is removed", "1s")
      assert.include(printed, "one.mp4")
      assert.include(said, "the camera was removed")
    })
  )

  it.live("that all was well with says nothing else", () =>
    Effect.gen(function* () {
      const { aside, printed, said } = yield* recorded([{ status: "RECORDING" }], "stops", "1s")
      assert.deepStrictEqual([aside, said], ["", ""])
      assert.include(printed, "two.mp4  (4 s, 20 B)")
    })
  )
})
