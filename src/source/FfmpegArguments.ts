import { encodeArguments, hardwareArguments, scaleTo } from "./Encoder.ts"
import type { Source } from "./Source.ts"
import type { Transcode } from "./Transcode.ts"

/** FFmpeg's arguments for a source. Every value is a number, a word of ours, or the source's own input. */

/** Seconds between two pictures at hand of a camera whose frames have to be encoded for it: five a second, with slack. */
const stillInterval = 0.18

/** Frames of a waking camera that all become pictures: half of them are left out as too early (`stream/WarmUp.ts`). */
const wakingFrames = 10

/** Of a picture from the network: 8K has 33 million, and 16000 by 16000 would take FFmpeg 1.9 GB. */
export const maxPixels = 35_000_000

/** FFmpeg's JPEG scale runs from 2 (best) to 31 (worst). */
const jpegScale = (quality: number): number => Math.round(31 - ((quality - 1) / 99) * 29)

/** By the frames' own times: a camera in the dark gives fewer than it was asked for, and -r would hold each one back. */
const select = ({ input }: Source): string =>
  [
    ...(input.wakesDark ? [`lt(n\\,${wakingFrames})`] : []),
    "isnan(prev_selected_t)",
    `gte(t-prev_selected_t\\,${stillInterval})`
  ].join("+")

/** Frames as JPEG. */
const stills = (source: Source, filter: ReadonlyArray<string>): ReadonlyArray<string> =>
  source.deliversJpeg
    ? ["-map", "0:v", "-c:v", "copy"]
    : [
        ...["-map", "0:v", ...filter],
        // one thread: with more the encoder gives a picture out when the next comes in
        ...["-fps_mode", "vfr", "-c:v", "mjpeg", "-threads:v", "1", "-pix_fmt", "yuvj420p"],
        ...["-q:v", String(jpegScale(source.encoding.jpegQuality))]
      ]

/**
 * A thread of FFmpeg's own writes them (ffmpeg-formats(1), fifo). While nobody reads, what comes is left out when these wait:
 * who records and watches goes on.
 */
const withoutWaiting = ["-f", "fifo", "-fifo_format", "image2pipe", "-drop_pkts_on_overflow", "1", "-queue_size", "8"]

const encode = ({ encoder, encoding, fps, height, scaled, width }: Source): ReadonlyArray<string> => {
  if (encoder.name === "copy") return ["-c:v", "copy"]
  return encodeArguments(encoder, encoding, { fps, filter: scaled ? scaleTo({ width, height }) : undefined })
}

/** MediaMTX repacks every packet above 1440 bytes. */
const rtspTo = (target: string) => ["-f", "rtsp", "-rtsp_transport", "tcp", "-pkt_size", "1400", target]

/**
 * Publishes to `target` (RTSP) and writes the pictures at hand to standard output, one JPEG after the other. These stand
 * first: FFmpeg opens its outputs in turn, and the first picture need not wait for MediaMTX.
 */
export const publishArguments = (source: Source, target: string): ReadonlyArray<string> => [
  ...(source.encoder.name === "copy" ? [] : hardwareArguments(source.encoder)),
  ...source.inputArguments,
  ...stills(source, ["-vf", `select=${select(source)}`]),
  ...[...withoutWaiting, "pipe:1"],
  ...["-map", "0:v", ...encode(source)],
  ...rtspTo(target)
]

/** Reads the device without MediaMTX: its pictures one after the other on standard output, until FFmpeg is ended. */
export const directArguments = (source: Source): ReadonlyArray<string> => [
  ...source.inputArguments,
  // the first picture is as good as any
  ...(source.input.wakesDark ? [] : ["-frames:v", "1"]),
  ...stills(source, []),
  ...["-f", "image2pipe", "pipe:1"]
]

/** Encodes the picture on standard input anew: as JPEG of this quality (1 to 100), or as PNG. */
export const convertArguments = (
  to: { readonly format: "jpg"; readonly quality: number } | { readonly format: "png" }
) => [
  ...["-max_pixels", String(maxPixels), "-f", "mjpeg", "-i", "pipe:0", "-frames:v", "1"],
  ...(to.format === "png"
    ? ["-c:v", "png"]
    : ["-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", String(jpegScale(to.quality))]),
  ...["-f", "image2pipe", "pipe:1"]
]

/** FFmpeg makes gray of what comes of H.265 before its first keyframe. */
const fromKeyframe = "select='key+not(isnan(prev_selected_n))'"

/**
 * Reads a stream of MediaMTX (RTSP) and publishes the transcode of it to `target`. FFmpeg waits at MediaMTX for a stream
 * that is being started, and begins with its first keyframe.
 */
export const transcodeArguments = (
  { encoder, encoding, fps, scale }: Transcode,
  from: string,
  target: string
): ReadonlyArray<string> => [
  ...(encoder.name === "copy" ? [] : hardwareArguments(encoder)),
  // a thread more is a frame's time more of delay, and one alone is too slow for 4K
  ...["-max_pixels", String(maxPixels), "-threads", "2"],
  // it would look at 20 frames for their rate, and at 5 s of what has a silent audio track
  ...["-fpsprobesize", "0", "-analyzeduration", "1000000", "-allowed_media_types", "video+audio"],
  ...["-rtsp_transport", "tcp", "-i", from, "-map", "0:v:0"],
  ...(encoder.name === "copy"
    ? ["-c:v", "copy"]
    : encodeArguments(encoder, encoding, { fps, filter: `${fromKeyframe},${scale}` })),
  // what every browser plays; an audio that stops holds pictures back for so many microseconds only
  ...["-map", "0:a:0?", "-c:a", "libopus", "-ac", "2", "-b:a", "64k", "-max_interleave_delta", "500000"],
  ...rtspTo(target)
]

/**
 * Decodes so many keyframes on standard input (a byte stream, Annex B) to JPEG of this quality (1 to 100), one or two. What the
 * stream is need not be found out by decoding it once beforehand. Threads share what a picture has several of, slices or rows
 * (a third of H.265's decoding, where its encoder had threads as well), and wait for no other picture; two make the range of
 * its values that of JPEG, which takes one of them 6 ms (1080p).
 */
export const keyframeArguments = (codec: "h264" | "h265", quality: number, count: 1 | 2): ReadonlyArray<string> => [
  ...["-filter_threads", "2", "-max_pixels", String(maxPixels), "-threads", "2", "-thread_type", "slice"],
  ...["-nofind_stream_info", "-f", codec === "h264" ? codec : "hevc", "-i", "pipe:0"],
  // at a constant rate, image2pipe's, the first would be given once more where the second is said to be far from it
  ...["-map", "0:v", "-fps_mode", "passthrough", "-frames:v", String(count)],
  ...["-c:v", "mjpeg", "-threads:v", "1", "-pix_fmt", "yuvj420p", "-q:v", String(jpegScale(quality))],
  ...["-f", "image2pipe", "pipe:1"]
]

/**
 * What a recording may be. FFmpeg looks at what is in a file, and a playlist in one that somebody put there would have it read
 * another camera's.
 */
const recordingFormats = "mov,mpegts,matroska"

/** Copies a recording into another container without encoding. */
export const remuxArguments = (from: string, to: string, format: "mp4" | "mkv"): ReadonlyArray<string> => [
  ...["-format_whitelist", recordingFormats, "-i", `file:${from}`, "-map", "0", "-c", "copy"],
  ...(format === "mp4" ? ["-movflags", "+faststart", "-f", "mp4"] : ["-f", "matroska"]),
  ...["-y", `file:${to}`]
]

/** How FFmpeg writes parts of AC-3: its header needs what the first packets say. */
const afterPackets = (sound: string | undefined) => (sound === "ac-3" || sound === "ec-3" ? "+delay_moov" : "")

/**
 * Files one after the other, as a list on standard input says them, without encoding: a fragmented MP4 on standard output.
 * `sound`: what all of them have, by the name of MP4's; undefined: pictures alone.
 */
export const exportArguments = (sound: string | undefined): ReadonlyArray<string> => [
  ...["-f", "concat", "-safe", "0", "-protocol_whitelist", "file,pipe"],
  ...["-format_whitelist", `concat,${recordingFormats}`, "-i", "pipe:0"],
  ...["-map", "0:v:0", ...(sound === undefined ? [] : ["-map", "0:a:0?"]), "-c", "copy"],
  ...["-avoid_negative_ts", "make_zero"],
  ...["-movflags", `frag_keyframe+empty_moov+default_base_moof${afterPackets(sound)}`],
  ...["-f", "mp4", "pipe:1"]
]

/** A file of an export, and the seconds in it between which it is taken, from the keyframe before. */
export interface ExportedFile {
  readonly path: string
  /** that are taken of it */
  readonly seconds: number
  readonly from: number | undefined
  readonly to: number | undefined
}

/** The list (FFmpeg's `concat` demuxer). */
export const exportList = (files: ReadonlyArray<ExportedFile>): string =>
  [
    "ffconcat version 1.0",
    ...files.flatMap(({ from, path, seconds, to }) => [
      `file '${`file:${path}`.replaceAll("'", "'\\''")}'`,
      `duration ${seconds.toFixed(3)}`,
      ...(from === undefined ? [] : [`inpoint ${from.toFixed(3)}`]),
      ...(to === undefined ? [] : [`outpoint ${to.toFixed(3)}`])
    ]),
    ""
  ].join("\n")

const small = ["-frames:v", "1", "-vf", "scale=320:-2", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "6"]

/** The first picture of what stands on standard input (the beginning of a fragmented MP4, and a part), small, as JPEG. */
export const thumbnailArguments: ReadonlyArray<string> = [
  ...["-max_pixels", String(maxPixels), "-f", "mp4", "-i", "pipe:0", ...small, "-f", "image2pipe", "pipe:1"]
]

/** The same of a whole file, from the keyframe before so many seconds. */
export const fileThumbnailArguments = (path: string, seconds: number): ReadonlyArray<string> => [
  ...["-max_pixels", String(maxPixels), "-format_whitelist", recordingFormats],
  ...["-noaccurate_seek", "-ss", seconds.toFixed(3), "-i", `file:${path}`],
  ...[...small, "-f", "image2pipe", "pipe:1"]
]
