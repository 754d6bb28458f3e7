import type { Complaint, Silence } from "../Input.ts"

/** What FFmpeg says of a V4L2 camera, in its own words (libavdevice/v4l2.c; the system's texts are strerror's). */

const complaints: ReadonlyArray<readonly [words: RegExp, complaint: Complaint]> = [
  [/No such device|No such file or directory/, { kind: "GONE", detail: "the camera was pulled out" }],
  [/Device or resource busy/, { kind: "BUSY", detail: "another program has it open" }],
  [
    /Permission denied|Operation not permitted/,
    { kind: "NO_PERMISSION", detail: "the service's user may not open it" }
  ],
  // ENOSPC of VIDIOC_STREAMON; it has nothing to do with a disk
  [/No space left on device/, { kind: "NO_BANDWIDTH", detail: "its USB bus has no room left for its stream" }]
]

/** FFmpeg's V4L2 reader names itself, or the node. */
const ofDevice = /video4linux2|v4l2|\/dev\/video/

/** Why the camera itself ended FFmpeg, or kept it from starting; undefined: it was not the camera. */
export const complaintIn = (stderr: string): Complaint | undefined => {
  const lines = stderr.split("\n").filter((line) => ofDevice.test(line))
  return complaints.find(([words]) => lines.some((line) => words.test(line)))?.[1]
}

/** What decoders say of data that is no picture. */
const garbage =
  /Invalid data found|No JPEG data found|error while decoding|error y=|bad vlc|no frame!|non-existing PPS/i

/** Why a camera that is open gives no picture. */
export const silenceOf = (stderr: string): Silence =>
  garbage.test(stderr)
    ? { kind: "WRONG_DATA", detail: "what it sends is no video" }
    : { kind: "FROZEN", detail: "it is open and sends no picture" }
