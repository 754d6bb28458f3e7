import * as Effect from "effect/Effect"

/**
 * How old a live picture is when it is shown, in milliseconds, as far as a browser can tell: since the media server had it.
 * What the camera and its encoder took before that is told by nothing that reaches the page. (Over WebRTC a browser knows
 * the time of capture only of senders that answer its reports of time, RFC 3611, 4.4 and 4.5; MediaMTX does not.)
 */
export interface Delay {
  readonly total: number
  /** what it is made of, in words */
  readonly parts: string
}

const lookEvery = "2 seconds"
/** So many pictures one after the other: the one in the middle counts. */
const pictures = 5

/** Half the way to the media server and back, and from the last packet of a picture to its display; measured now and then. */
export const webRtcDelay = (
  video: HTMLVideoElement,
  peer: RTCPeerConnection,
  tell: (delay: Delay) => void
): Effect.Effect<never> =>
  Effect.forever(
    Effect.gen(function* () {
      const found: Array<number> = []
      for (let count = 0; count < pictures; count++) {
        const { expectedDisplayTime, receiveTime } = yield* nextPicture(video)
        // a browser that does not say when it came
        if (receiveTime === undefined) return yield* Effect.never
        found.push(expectedDisplayTime - receiveTime)
      }
      const browser = middle(found)
      const way = (yield* roundTrip(peer)) / 2
      tell({
        total: browser + way,
        parts: `${Math.round(way)} ms on the way, ${Math.round(browser)} ms in this browser`
      })
      yield* Effect.sleep(lookEvery)
    })
  )

/** By the time that the playlist tells of each picture (`EXT-X-PROGRAM-DATE-TIME`), which is the server's. */
export const hlsDelay = (
  dateNow: () => Date | null,
  serverNow: () => number,
  tell: (delay: Delay) => void
): Effect.Effect<never> =>
  Effect.forever(
    Effect.suspend(() => {
      const shown = dateNow()
      if (shown !== null) {
        tell({ total: serverNow() - shown.getTime(), parts: "by the time that the playlist tells of each picture" })
      }
      return Effect.sleep(lookEvery)
    })
  )

const nextPicture = (video: HTMLVideoElement): Effect.Effect<VideoFrameCallbackMetadata> =>
  Effect.callback((resume) => {
    const handle = video.requestVideoFrameCallback((_, picture) => resume(Effect.succeed(picture)))
    return Effect.sync(() => video.cancelVideoFrameCallback(handle))
  })

const roundTrip = (peer: RTCPeerConnection): Effect.Effect<number> =>
  Effect.promise(async () => {
    const stats: ReadonlyArray<RTCStats & Partial<RTCIceCandidatePairStats>> = [...(await peer.getStats()).values()]
    const used = stats.find(
      ({ nominated, state, type }) => type === "candidate-pair" && nominated && state === "succeeded"
    )
    return (used?.currentRoundTripTime ?? 0) * 1000
  })

const middle = (values: ReadonlyArray<number>): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0
