import type { Encoding, Source } from "./Source.ts"

/** FFmpeg's arguments for a source. Every value is a number, a word of ours, or the source's own input. */

/** Pictures a second that are kept at hand from a camera whose frames have to be encoded for it. */
const stillsPerSecond = 5

/** How long after its start a stream sends a keyframe every few frames, so that the readers who waited see it at once. */
const eagerSeconds = 2
/** Most frames between the keyframes of that time, and of later: one second. */
const eagerInterval = 0.12

/** FFmpeg's JPEG scale runs from 2 (best) to 31 (worst). */
const jpegScale = (quality: number): number => Math.round(31 - ((quality - 1) / 99) * 29)

const still = (source: Source): ReadonlyArray<string> =>
  source.deliversJpeg
    ? ["-map", "0:v", "-c:v", "copy", "-f", "image2pipe", "pipe:1"]
    : [
        // every so many frames: a lower frame rate (-r) would hold each picture until it knows the next
        ...["-map", "0:v", "-vf", `select=not(mod(n\\,${Math.max(1, Math.round(source.fps / stillsPerSecond))}))`],
        // one thread: with more the encoder gives a picture out when the next comes in
        ...["-fps_mode", "vfr", "-c:v", "mjpeg", "-threads:v", "1", "-pix_fmt", "yuvj420p"],
        ...["-q:v", String(jpegScale(source.encoding.jpegQuality)), "-f", "image2pipe", "pipe:1"]
      ]

const encode = (encoding: Encoding, fps: number): ReadonlyArray<string> => {
  const rate = `${encoding.bitrateKbps}k`
  return [
    ...["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p"],
    ...(encoding.profile === "none" ? [] : ["-profile:v", "baseline", "-level:v", "3.0"]),
    ...["-b:v", rate, "-maxrate", rate, "-bufsize", rate, "-bf", "0", "-g", String(Math.max(1, Math.round(fps)))],
    "-force_key_frames",
    `expr:if(lt(t,${eagerSeconds}),gte(t,n_forced*${eagerInterval}),0)`
  ]
}

/**
 * Publishes to `target` (RTSP) and writes the pictures at hand to standard output, one JPEG after the other. These stand
 * first: FFmpeg opens its outputs in turn, and the first picture need not wait for MediaMTX.
 */
export const publishArguments = (source: Source, target: string): ReadonlyArray<string> => [
  ...source.input,
  ...still(source),
  ...["-map", "0:v"],
  ...(source.scaled ? ["-vf", `scale=${source.width}:${source.height}`] : []),
  ...["-r", String(source.fps)],
  ...encode(source.encoding, source.fps),
  // MediaMTX repacks every packet above 1440 bytes
  ...["-f", "rtsp", "-rtsp_transport", "tcp", "-pkt_size", "1400", target]
]

/** Frames that a camera may deliver dark after it woke. */
const warmUpFrames = 5

/** Reads one picture straight from the device and writes it to standard output as JPEG. */
export const directArguments = (source: Source): ReadonlyArray<string> => [
  ...source.input,
  ...(source.kind === "synthetic" ? [] : ["-vf", `select=gte(n\\,${warmUpFrames})`]),
  ...["-frames:v", "1", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p"],
  ...["-q:v", String(jpegScale(source.encoding.jpegQuality)), "-f", "image2pipe", "pipe:1"]
]

/** Encodes the picture on standard input anew: as JPEG of this quality (1 to 100), or as PNG. */
export const convertArguments = (
  to: { readonly format: "jpg"; readonly quality: number } | { readonly format: "png" }
) => [
  ...["-f", "mjpeg", "-i", "pipe:0", "-frames:v", "1"],
  ...(to.format === "png"
    ? ["-c:v", "png"]
    : ["-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", String(jpegScale(to.quality))]),
  ...["-f", "image2pipe", "pipe:1"]
]

/** Copies a recording into another container without encoding. */
export const remuxArguments = (from: string, to: string, format: "mp4" | "mkv"): ReadonlyArray<string> => [
  ...["-i", `file:${from}`, "-map", "0", "-c", "copy"],
  ...(format === "mp4" ? ["-movflags", "+faststart", "-f", "mp4"] : ["-f", "matroska"]),
  ...["-y", `file:${to}`]
]
