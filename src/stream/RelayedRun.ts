import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Device } from "../device/Device.ts"
import { parameterSetsOf, type SdpMedia } from "../media/Sdp.ts"
import { describeVideo } from "../rtsp/Probe.ts"
import type { RtspFailed } from "../rtsp/RtspFailed.ts"
import { isKlv } from "../rtsp/Session.ts"
import { makingOfRelay } from "../source/Making.ts"
import { beginRun, type LiveStream, type Run } from "./LiveStream.ts"
import { RunEnded } from "./RunEnded.ts"

/** A large keyframe has come by then, where the camera begins with one. */
const beginTime = Duration.millis(250)

/** A run of a camera that streams by itself, for as long as the scope lives, by what it says of its streams: the video is `video`. */
export const beginRelayed = Effect.fnUntraced(function* (
  stream: LiveStream,
  device: Device,
  video: SdpMedia,
  wanted: ReadonlyArray<SdpMedia>
) {
  const { clockRate: _hz, ...described } = describeVideo(video, parameterSetsOf(video))
  const audio = wanted.find(({ kind }) => kind === "audio")
  const { height = 0, rate, width = 0 } = described
  const sends = {
    ...described,
    ...(audio === undefined ? {} : { audioCodec: audio.encoding }),
    hasKlv: wanted.some(isKlv)
  }
  const size = { width, height, rates: rate === undefined ? [] : [rate] }
  const format = { pixelFormat: video.encoding.toUpperCase(), sizes: width === 0 ? [] : [size] }
  return yield* beginRun(stream, { making: makingOfRelay(device, [format]), ...(width === 0 ? {} : { sends }) })
})

/** B-frames have come (of H.264): where the camera has not told of them, their rules apply from now on. */
export const noticeBFrames = Effect.fnUntraced(function* (stream: LiveStream, run: Run, { input }: Device) {
  const told = run.sends ?? input.sends
  if (told?.hasBFrames === true) return
  // nothing more is known of a transport stream
  run.sends = { ...(told?.codec === "h264" ? told : { codec: "h264" }), hasBFrames: true }
  yield* Effect.logInfo("the camera sends B-frames, and does not say so: browsers are shown its transcode over WebRTC")
  const state = SubscriptionRef.getUnsafe(stream.state)
  if (state._tag === "Ready") yield* stream.become(state)
})

/** Completes where a camera begins to play in another way than with a keyframe, and its first one is yet to come. */
export const lacksKeyframe = (
  started: Effect.Effect<void>,
  firstKeyframe: Effect.Effect<unknown>
): Effect.Effect<void> =>
  started.pipe(Effect.andThen(Effect.timeout(firstKeyframe, beginTime)), Effect.andThen(Effect.never), Effect.ignore)

/** The run's end, where MediaMTX does not take the stream. */
export const notTaken = ({ detail, kind }: RtspFailed): RunEnded => {
  const isSilent = kind === "UNREACHABLE" || kind === "STALLED"
  return new RunEnded({
    reason: `MediaMTX did not take the stream: ${detail}`,
    ...(isSilent ? { obstacle: "MEDIAMTX" } : {})
  })
}
