import * as Effect from "effect/Effect"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Device } from "../device/Device.ts"
import { now } from "../ground/Time.ts"
import { parameterSetsOf, type SdpMedia } from "../media/Sdp.ts"
import { describeVideo } from "../rtsp/Probe.ts"
import { isKlv } from "../rtsp/Session.ts"
import { makingOfRelay } from "../source/Making.ts"
import type { LiveStream, Run } from "./LiveStream.ts"

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
  const run: Run = {
    making: makingOfRelay(device, [format]),
    ...(width === 0 ? {} : { sends }),
    startedAt: yield* now,
    published: { frames: 0, fps: 0 },
    pictureAt: undefined
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => (stream.run = run)),
    () => Effect.sync(() => (stream.run = undefined))
  )
  return run
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
