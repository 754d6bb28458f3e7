import type { ReadInput } from "../Input.ts"
import { complaintIn, silenceOf } from "./Complaints.ts"

/** The V4L2 node at this path. */
export const v4l2Input = (node: string): ReadInput => ({
  feed: "published",
  name: "v4l2",
  address: node,
  node,
  hasTranscode: false,
  clock: "monotonic",
  mayHaveKlv: false,
  wakesDark: true,
  whyEncoded: undefined,
  ffmpegArguments: (_camera, { format, height, rate, width }) => [
    // a decoder with two threads or with frames to reorder gives each picture out 70 to 100 ms later (measured at 30/s)
    ...(format === "h264" ? ["-threads", "1", "-flags", "low_delay"] : []),
    ...["-f", "v4l2", "-input_format", format],
    ...["-video_size", `${width}x${height}`, "-framerate", String(rate)],
    // Stamped by the kernel, with our monotonic clock (videodev2.h, V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC). Not by the wall
    // clock (-use_wallclock_as_timestamps): set back by an hour, it has FFmpeg leave out each frame of an hour (measured).
    ...["-i", node]
  ],
  complaintIn,
  silenceOf
})
