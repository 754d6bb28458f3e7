import { assert, describe, it } from "@effect/vitest"
import { makeBeginning, tellsHowItEnded } from "../../src/process/Beginning.ts"

/** As FFmpeg 5.1 writes it with `-loglevel level+info`. */
const said = [
  "[info] Input #0, video4linux2,v4l2, from '/dev/video0':",
  "[info]   Duration: N/A, start: 5267.163263, bitrate: 147456 kb/s",
  "[info]     Stream #0:0: Video: rawvideo (YUY2 / 0x32595559), yuyv422, 640x480, 30 fps, 30 tbr, 1000k tbn",
  "[libx264 @ 0x55] [info] using cpu capabilities: MMX2 SSE2Fast SSSE3 SSE4.2 AVX",
  "[info] Output #1, rtsp, to 'rtsp://127.0.0.1:8554/camera0?token=***':",
  "[info]     encoder         : Lavf59.27.100"
]

describe("what FFmpeg says as it begins", () => {
  it("tells when the first frame was made, and of which version it is", () => {
    const { hear, now } = makeBeginning()
    assert.isUndefined(now())
    for (const line of said) hear(line)
    assert.deepStrictEqual(now(), { firstFrame: 5_267_163.263, library: 59 })
  })

  it("tells nothing of how it ended, whichever part of a part of FFmpeg says it", () => {
    const nested = "[rtsp @ 0x55] [rtp @ 0x66] [info] some more"
    const leftOut = "[fifo @ 0x55] [warning] FIFO queue full"
    assert.isEmpty([...said, nested, leftOut].filter(tellsHowItEnded))
  })

  it("leaves all that tells why it ended", () => {
    const lines = [
      "[video4linux2,v4l2 @ 0x55] [error] Cannot open video device /dev/video9: Permission denied",
      "[error] /dev/video9: Permission denied",
      "[swscaler @ 0x55] [swscaler @ 0x66] [warning] deprecated pixel format used",
      "[rtsp @ 0x55] [error] [info] is what the server said",
      "Segmentation fault"
    ]
    assert.deepStrictEqual(lines.filter(tellsHowItEnded), lines)
  })

  it("of a second input nothing is told", () => {
    const { hear, now } = makeBeginning()
    hear("[info]   Duration: N/A, start: 1.000000, bitrate: N/A")
    hear("[info]   Duration: N/A, start: 2.000000, bitrate: N/A")
    hear("[info]     encoder         : Lavf60.16.100")
    assert.deepStrictEqual(now(), { firstFrame: 1000, library: 60 })
  })
})
