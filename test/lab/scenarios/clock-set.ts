import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mjpg } from "../vm/Formats.ts"
import { scenario } from "../vm/Scenario.ts"
import { streaming } from "../vm/Steps.ts"

/** As NTP does at its first contact, on a box that has no battery for its clock. */
const setClock = (bySeconds: number) =>
  Effect.sync(() => execFileSync("date", ["-s", `@${Math.round(Date.now() / 1000) + bySeconds}`], { stdio: "ignore" }))

const hour = 3600

export default scenario({
  title: "a clock that is set by an hour, back and forth, stops no stream, and costs a recording a few seconds",
  cameras: { mast: { name: "Mast", serial: "M-1", formats: [mjpg(320, 240, 15)] } },
  settings: {},
  play: Effect.fnUntraced(function* (lab) {
    const device = yield* lab.plug("mast")
    yield* lab.call().start_recording({ device })
    yield* streaming(lab, device)
    const framesIn = (seconds: number) =>
      Effect.gen(function* () {
        const before = yield* lab.call().get_stream_status({ device })
        yield* Effect.sleep(`${seconds} seconds`)
        const after = yield* lab.call().get_stream_status({ device })
        return after.metrics.frames_sent - before.metrics.frames_sent
      })
    const usual = yield* framesIn(8)
    yield* setClock(-hour)
    const back = yield* framesIn(8)
    yield* setClock(hour)
    const forth = yield* framesIn(8)
    const { file_size, files } = yield* lab.call().stop_recording({ device })
    const seen = `${usual}, ${back}, ${forth} frames in 8 s each; ${files.length} files of ${file_size} bytes together`
    assert.ok(back > usual / 2, seen)
    assert.ok(forth > usual / 2, seen)
    // MediaMTX begins a new file where its clock jumps, after a pause of 2 s
    assert.equal(files.length, 3, seen)
    assert.ok(file_size > 30_000, seen)
  })
})
