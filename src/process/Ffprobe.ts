import * as Schema from "effect/Schema"

/** What is in a media file; 0 and "" where that is unknown. */
export interface MediaInfo {
  /** Seconds. */
  readonly duration: number
  /** FFmpeg's name of the first video track's codec (`h264`, `mjpeg`). */
  readonly codec: string
  readonly width: number
  readonly height: number
  readonly bytes: number
}

/**
 * ffprobe reads all parts of a fragmented MP4 for its duration (measured on 5.1: an hour is 276 MB of reads, which a slow
 * card takes seconds for). `headerOnly` keeps it to the first ones: right where the header tells the duration.
 */
export const probeArgs = (file: string, headerOnly: boolean): ReadonlyArray<string> => [
  "-loglevel",
  "level+error",
  ...(headerOnly ? ["-seekable", "0"] : []),
  "-select_streams",
  "v:0",
  "-show_entries",
  "stream=codec_name,width,height,duration:format=duration,size",
  "-of",
  "json",
  // a playlist in a file's place would have it read another one
  "-format_whitelist",
  "mov,mpegts,matroska",
  "-i",
  // The prefix keeps a name from being taken for one of FFmpeg's protocols.
  `file:${file}`
]

const size = Schema.optionalKey(Schema.Int)
const text = Schema.optionalKey(Schema.String)
const Reply = Schema.fromJsonString(
  Schema.Struct({
    streams: Schema.optionalKey(
      Schema.Array(Schema.Struct({ codec_name: text, width: size, height: size, duration: text }))
    ),
    format: Schema.optionalKey(Schema.Struct({ duration: text, size: text }))
  })
)

const number = (digits: string | undefined) => {
  const value = Number(digits)
  return Number.isFinite(value) && value > 0 ? value : 0
}

const decode = Schema.decodeUnknownSync(Reply)

/** Reads ffprobe's reply; throws when it is none. */
export const parseProbe = (reply: string): MediaInfo => {
  const { format, streams } = decode(reply)
  const video = streams?.[0]
  return {
    duration: number(format?.duration) || number(video?.duration),
    codec: video?.codec_name ?? "",
    width: video?.width ?? 0,
    height: video?.height ?? 0,
    bytes: number(format?.size)
  }
}
