import { describe, expect, it } from "vitest"
import type { ChildExit } from "../../src/process/Child.ts"
import { whyEnded } from "../../src/stream/FfmpegEnd.ts"

const ended = (stderr: string) =>
  whyEnded({ code: 224, signal: undefined, missing: false, stderr } as unknown as ChildExit)

describe("why a publishing FFmpeg ended", () => {
  it.each([
    ["5.1", "av_interleaved_write_frame(): Broken pipe"],
    ["9.0", "[vost#0:0/libx264 @ 0x55d0] [error] Error submitting a packet to the muxer: Broken pipe"]
  ])("is told in words when the media server is gone, with FFmpeg's own behind them (%s)", (_, line) => {
    expect(ended(line)).toMatch(
      /^the media server did not take the stream any more \(ffmpeg ended with .*Broken pipe\)$/
    )
  })

  it("is told in words when the media server does not take it at all", () => {
    const line = "Could not write header for output file #0 (incorrect codec parameters ?): Connection refused"
    expect(ended(line)).toMatch(/^the media server did not take the stream \(ffmpeg ended .*Could not write header/)
  })

  it("is what FFmpeg says of anything else", () => {
    expect(ended("[error] the camera is broken")).toBe("ffmpeg ended with status 224: the camera is broken")
  })
})
