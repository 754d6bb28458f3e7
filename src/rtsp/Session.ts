import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { parseSdp, type SdpMedia, type SessionDescription } from "../media/Sdp.ts"
import type { Dialogue } from "./Dialogue.ts"
import { headerOf, isOneWord, type Reply } from "./Message.ts"
import { RtspFailed } from "./RtspFailed.ts"
import type { RtspTarget } from "./Target.ts"

/** What a camera says of its stream, and how it is asked for it. */
export interface Offer {
  readonly description: SessionDescription
  /** what relative addresses of the description begin with */
  readonly base: string
  /** the request that keeps a session alive */
  readonly keepAlive: "GET_PARAMETER" | "OPTIONS"
}

/** One stream of the offer that is being sent, on this channel; its RTCP is on the next one. */
export interface Track {
  readonly media: SdpMedia
  readonly channel: number
}

/** What cameras mean that do not say it (RFC 2326, 12.37). */
const usualTimeout = 60

/** Asks what there is. */
export const describe = Effect.fnUntraced(function* ({ ask }: Dialogue, { url }: RtspTarget) {
  const options = yield* ask("OPTIONS", url).pipe(
    // what it can do is good to know, and not needed
    Effect.map(({ headers }) => headers.get("public")?.join(",") ?? ""),
    Effect.catchIf(isPassable, () => Effect.succeed(""))
  )
  const { body, headers } = yield* ask("DESCRIBE", url, { Accept: "application/sdp" })
  const description = parseSdp(body)
  if (description.media.length === 0) {
    return yield* new RtspFailed({ kind: "NO_VIDEO", detail: "its description tells of no stream" })
  }
  const given = headerOf(headers, "content-base") ?? headerOf(headers, "content-location")
  const base = given !== undefined && isAbsolute(given) && isOneWord(given) ? given : url
  const keepAlive = /\bGET_PARAMETER\b/i.test(options) ? ("GET_PARAMETER" as const) : ("OPTIONS" as const)
  return { description, base, keepAlive } satisfies Offer as Offer
})

/**
 * Which of the streams are worth having: a video, an audio, and metadata (KLV). A transport stream has all of that in itself.
 */
export const worthHaving = ({ description: { media } }: Offer): Effect.Effect<ReadonlyArray<SdpMedia>, RtspFailed> => {
  const given = media.filter(({ encoding, isForUs }) => !isForUs && encoding !== "")
  const offered = given.filter((one) => !isKlv(one))
  const videos = offered.filter(({ kind }) => kind === "video")
  const video = videos.find(({ encoding }) => encoding === "h264") ?? videos[0]
  if (video === undefined) return Effect.fail(new RtspFailed({ kind: "NO_VIDEO", detail: "it has no video" }))
  if (video.encoding === "mp2t") return Effect.succeed([video])
  const audio = offered.filter(({ kind }) => kind === "audio").slice(0, 1)
  return Effect.succeed([video, ...audio, ...given.filter(isKlv).slice(0, 1)])
}

/** Metadata as RFC 6597 carries it. */
export const isKlv = ({ encoding }: SdpMedia): boolean => encoding === "smpte336m"

/**
 * Has the camera send these streams on this connection, for as long as the scope lives. `beforePlay` is done with them once
 * they are agreed on, and before the first packet.
 */
export const play = Effect.fnUntraced(function* <E>(
  dialogue: Dialogue,
  offer: Offer,
  wanted: ReadonlyArray<SdpMedia>,
  beforePlay: (tracks: ReadonlyArray<Track>) => Effect.Effect<void, E, Scope.Scope>
) {
  const { ask, say } = dialogue
  const { base, description, keepAlive } = offer
  const whole = addressOf(base, description.control)
  const tracks: Array<Track> = []
  let session: { readonly id: string; readonly timeout: number } | undefined
  const ofSession = () => ({ Session: session?.id })
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      if (session !== undefined) say("TEARDOWN", whole, ofSession())
    })
  )
  for (const media of wanted) {
    const channel = tracks.length * 2
    const transport = `RTP/AVP/TCP;unicast;interleaved=${channel}-${channel + 1}`
    const asked = ask("SETUP", addressOf(base, media.control), { Transport: transport, ...ofSession() })
    // a picture without sound is better than none
    const reply = yield* tracks.length === 0
      ? asked
      : Effect.catchIf(asked, isPassable, () => Effect.succeed(undefined))
    if (reply === undefined) continue
    session ??= sessionIn(reply)
    const given = channelIn(reply, channel)
    if (given === undefined || tracks.some((track) => Math.abs(track.channel - given) < 2)) {
      return yield* new RtspFailed({ kind: "PROTOCOL", detail: "it does not send over TCP as it was asked to" })
    }
    tracks.push({ media, channel: given })
  }
  yield* beforePlay(tracks)
  yield* ask("PLAY", whole, { ...ofSession(), Range: "npt=0.000-" })
  const { timeout = usualTimeout } = session ?? {}
  yield* ask(keepAlive, whole, ofSession()).pipe(
    // what counts is whether packets come, and they are looked at
    Effect.ignore,
    Effect.schedule(Schedule.spaced(Duration.seconds(timeout / 2))),
    Effect.forkScoped
  )
  return tracks
})

/** A refusal of one request, after which others may be granted. */
const isPassable = (failed: RtspFailed) => failed.kind === "PROTOCOL" || failed.kind === "NOT_FOUND"

const isAbsolute = (address: string): boolean => /^rtsps?:\/\//i.test(address)

/** As FFmpeg and others put them together, which is not quite what RFC 2326, C.1.1, says: cameras are tried with those. */
export const addressOf = (base: string, control: string | undefined): string => {
  if (control === undefined || control === "" || control === "*") return base
  if (isAbsolute(control)) return control
  return `${base.endsWith("/") ? base.slice(0, -1) : base}/${control.startsWith("/") ? control.slice(1) : control}`
}

const sessionIn = ({ headers }: Reply) => {
  const [id = "", ...more] = (headerOf(headers, "session") ?? "").split(";")
  const timeout = more
    .map((word) => /^\s*timeout\s*=\s*(\d{1,5})/i.exec(word)?.[1])
    .find((found) => found !== undefined)
  return id.trim() === "" ? undefined : { id: id.trim(), timeout: Math.max(2, Number(timeout ?? usualTimeout)) }
}

/** The channel of the packets that was agreed on; undefined: none, or one that has no other beside it for RTCP. */
const channelIn = ({ headers }: Reply, asked: number): number | undefined => {
  const transport = headerOf(headers, "transport") ?? ""
  if (!/RTP\/AVP\/TCP/i.test(transport)) return undefined
  const [, first, second] = /interleaved\s*=\s*(\d{1,3})(?:-(\d{1,3}))?/i.exec(transport) ?? []
  const channel = Number(first ?? asked)
  const isPair = second === undefined || Number(second) === channel + 1
  return isPair && channel <= 254 ? channel : undefined
}
