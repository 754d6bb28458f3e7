import type * as Effect from "effect/Effect"
import type { CameraId, FaultKind } from "../../schema/Camera.ts"
import type { DescribedVideo } from "../rtsp/Probe.ts"
import type { RtspFailed } from "../rtsp/RtspFailed.ts"
import type { RtspTarget } from "../rtsp/Target.ts"

/**
 * Where a device's frames come from, and all that is particular to it. Each kind of camera is a value of one of these
 * shapes, in a file of its own; nobody asks which kind it is: `stream/Feeds.ts` has the feed that it names, which knows the
 * rest.
 */
export type Input = ReadInput | StreamedInput

interface CommonInput {
  /** its kind, in the word that clients and the log have for it: `v4l2`, `synthetic`, `network` */
  readonly name: string
  /** where it is: `/dev/video0`, `synthetic:0`; without secrets, and for administrators only */
  readonly address: string
  /** the kernel's node, which has controls and may be open in other programs; undefined: there is none */
  readonly node: string | undefined
  /** what it sends may be anything, also what browsers do not play: beside its stream there is a transcode of it */
  readonly hasTranscode: boolean
  /** metadata (KLV) may come with its frames */
  readonly mayHaveKlv: boolean
  /** of one that streams by itself: what it was seen to send; absent: it was not seen yet */
  readonly sends?: Sent
  /** of the same: a picture of now (a whole JPEG) that it gives without streaming; absent: it is not known to do that */
  readonly still?: Effect.Effect<Buffer, RtspFailed>
  /** of the same: has it send a keyframe soon, and returns when it has said that it does; absent: it is not known to do that */
  readonly keyframe?: Effect.Effect<void, RtspFailed>
}

/** What a camera was seen to send. Codecs are RTP's names in lower case: `h264`, `jpeg`; `pcmu`, `mpeg4-generic`. */
export interface Sent extends Omit<DescribedVideo, "clockRate"> {
  /** absent: it sends no audio */
  readonly audioCodec?: string
  /** metadata (KLV) comes with it; absent: nobody knows */
  readonly hasKlv?: boolean
}

/** A camera that streams by itself: what it sends is relayed as it comes. */
export interface StreamedInput extends CommonInput {
  readonly feed: "relayed"
  readonly node: undefined
  /** where its stream is had, resolved and checked anew for each run; fails where it may not be gone to */
  readonly rtsp: Effect.Effect<RtspTarget, RtspFailed>
}

/** A camera that FFmpeg reads. */
export interface ReadInput extends CommonInput {
  readonly feed: "published"
  /** what stamps its frames: the kernel's monotonic clock, or the clock of the day */
  readonly clock: "monotonic" | "wall"
  /** its first pictures are dark or torn, until its exposure has settled */
  readonly wakesDark: boolean
  /** why its frames are never published as they come; undefined: that depends on their format */
  readonly whyEncoded: string | undefined
  /** FFmpeg's arguments to read the camera of this name in this mode, `-i` included */
  readonly ffmpegArguments: (camera: CameraId, mode: InputMode) => ReadonlyArray<string>
  /** why the camera ended FFmpeg or kept it from starting, by what FFmpeg said; undefined: it was not the camera */
  readonly complaintIn: (stderr: string) => Complaint | undefined
  /** why the camera is open and gives no picture; undefined: it is never the camera */
  readonly silenceOf: (stderr: string) => Silence | undefined
}

/** How an input is to be read. */
export interface InputMode {
  /** FFmpeg's name of the pixel format: `mjpeg`, `yuyv422` */
  readonly format: string
  readonly width: number
  readonly height: number
  /** frames a second */
  readonly rate: number
}

/** What is wrong with a camera, as FFmpeg saw it. */
export interface Complaint {
  /** GONE: it was pulled out, which its provider tells as well */
  readonly kind: FaultKind | "GONE"
  readonly detail: string
}

export interface Silence extends Complaint {
  readonly kind: FaultKind
}
