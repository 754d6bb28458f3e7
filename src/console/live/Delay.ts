import * as Effect from "effect/Effect"

/** How old a live picture is when it is shown, in milliseconds. */
export interface Delay {
  readonly total: number
  /** what it is made of, in words */
  readonly parts: string
  /** the camera's part is in it; else it is older by what nobody here knows */
  readonly isWhole: boolean
}

/**
 * What a camera and its encoder take until the media server has a picture, as the service measures it; undefined: it is not
 * known. (Over WebRTC a browser knows the time of capture only of senders that answer its reports of time, RFC 3611, 4.4
 * and 4.5, or whose audio it plays; MediaMTX does not answer.)
 */
export type AskCamera = Effect.Effect<number | undefined>

const lookEvery = "5 seconds"
/** So many looks pass at most without asking for the camera's part: a minute. */
const mostLooks = 11
/** So many pictures one after the other: the one in the middle counts. */
const pictures = 5

/** Half the way to the media server and back, and from the last packet of a picture to its display; measured now and then. */
export const webRtcDelay = (
  video: HTMLVideoElement,
  peer: RTCPeerConnection,
  askCamera: AskCamera,
  tell: (delay: Delay) => void
): Effect.Effect<never> =>
  Effect.gen(function* () {
    const ask = nowAndThen(askCamera)
    while (true) {
      const found: Array<number> = []
      for (let count = 0; count < pictures; count++) {
        const { expectedDisplayTime, receiveTime } = yield* nextPicture(video)
        // a browser that does not say when it came
        if (receiveTime === undefined) return yield* Effect.never
        found.push(expectedDisplayTime - receiveTime)
      }
      const browser = middle(found)
      const way = (yield* roundTrip(peer)) / 2
      const words = `${Math.round(way)} ms on the way, ${Math.round(browser)} ms in this browser`
      tell(withCamera(yield* ask, browser + way, words))
      yield* Effect.sleep(lookEvery)
    }
  })

/** By the time that the playlist tells of each picture (`EXT-X-PROGRAM-DATE-TIME`): when the media server had it. */
export const hlsDelay = (
  dateNow: () => Date | null,
  serverNow: () => number,
  askCamera: AskCamera,
  tell: (delay: Delay) => void
): Effect.Effect<never> =>
  Effect.gen(function* () {
    const ask = nowAndThen(askCamera)
    while (true) {
      const shown = dateNow()
      if (shown !== null) {
        const since = serverNow() - shown.getTime()
        tell(withCamera(yield* ask, since, `${Math.round(since)} ms since the media server had it`))
      }
      yield* Effect.sleep(lookEvery)
    }
  })

const withCamera = (camera: number | undefined, rest: number, words: string): Delay =>
  camera === undefined
    ? { total: rest, parts: words, isWhole: false }
    : { total: camera + rest, parts: `${Math.round(camera)} ms in camera and encoder, ${words}`, isWhole: true }

/** Every other look asks, for it changes little; one that is not known, as no camera's in the network is, ever fewer do. */
const nowAndThen = (ask: AskCamera): AskCamera => {
  let last: number | undefined
  /** looks until it is asked again, and after the next time that it is not known: at first it is not measured yet */
  let left = 0
  let pause = 0
  return Effect.suspend(() => {
    if (left-- > 0) return Effect.succeed(last)
    return Effect.map(ask, (answer) => {
      left = answer === undefined ? pause : 1
      pause = answer === undefined ? Math.min(pause * 2 || 1, mostLooks) : 0
      return (last = answer)
    })
  })
}

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
