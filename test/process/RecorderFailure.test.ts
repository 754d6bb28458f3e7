import { assert, describe, it } from "vitest"
import { recorderFailureIn } from "../../src/process/RecorderFailure.ts"

const file = "camera0_2026-11-30_09-00-00_123456.mp4"
const failed = (code: string) => ({ _tag: "RecorderFailed", path: "camera0", file, code })

describe("what MediaMTX says of a recording that it cannot write", () => {
  for (const [line, code] of [
    [`write /data/recordings/${file}: no space left on device`, "ENOSPC"],
    [`open /data/recordings/${file}: too many open files`, "EMFILE"],
    [`write /a folder: of mine/${file}: input/output error`, "EIO"],
    [`write /data/${file}: something new`, ""]
  ] as const) {
    it(`is known: ${line}`, () =>
      assert.deepEqual(recorderFailureIn(`ERR [path camera0] [recorder] ${line}`), failed(code) as never))
  }

  for (const line of [
    `WAR [path camera0] [recorder] write /data/${file}: no space left on device`,
    "ERR [path camera0] [recorder] reached maximum part size",
    `ERR [RTSP] write /data/${file}: no space left on device`,
    "INF [path camera0] [recorder] recording 1 track (H264)"
  ]) {
    it(`is nothing else: ${line}`, () => assert.isUndefined(recorderFailureIn(line)))
  }
})
