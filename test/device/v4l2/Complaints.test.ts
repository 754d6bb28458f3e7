import { assert, describe, it } from "@effect/vitest"
import { complaintIn, silenceOf } from "../../../src/device/v4l2/Complaints.ts"

/** As FFmpeg 5.1 writes it with `-loglevel level+warning`. */
const opened = (why: string) =>
  `[video4linux2,v4l2 @ 0x55e5ac9d1940] [error] Cannot open video device /dev/video9: ${why}\n[error] /dev/video9: ${why}`
const refused = (request: string, why: string) =>
  `[video4linux2,v4l2 @ 0x55e5ac9d1940] [error] ioctl(${request}): ${why}\n[error] /dev/video9: ${why}`

describe("what FFmpeg says of a camera", () => {
  for (const [stderr, kind] of [
    [opened("No such file or directory"), "GONE"],
    [refused("VIDIOC_DQBUF", "No such device"), "GONE"],
    [opened("Permission denied"), "NO_PERMISSION"],
    [opened("Device or resource busy"), "BUSY"],
    [refused("VIDIOC_REQBUFS", "Device or resource busy"), "BUSY"],
    [refused("VIDIOC_STREAMON", "No space left on device"), "NO_BANDWIDTH"]
  ] as const) {
    it(`tells ${kind}: ${stderr.split("] ").at(-1)}`, () => {
      assert.strictEqual(complaintIn(stderr)?.kind, kind)
    })
  }

  it("is not blamed for what happens on the way to MediaMTX", () => {
    assert.isUndefined(complaintIn("[rtsp @ 0x1] [error] method ANNOUNCE failed: 401 Unauthorized"))
    assert.isUndefined(complaintIn("[error] Could not write header: Permission denied"))
    assert.isUndefined(complaintIn("[error] av_interleaved_write_frame(): No space left on device"))
    assert.isUndefined(complaintIn(""))
  })

  it("tells garbage from silence", () => {
    const garbage = "[mjpeg @ 0x1] [error] No JPEG data found in image\n[error] Error while decoding stream #0:0"
    assert.strictEqual(silenceOf(garbage).kind, "WRONG_DATA")
    assert.strictEqual(silenceOf("").kind, "FROZEN")
    assert.strictEqual(silenceOf("[mjpeg @ 0x1] [warning] deprecated pixel format used").kind, "FROZEN")
  })
})
