import * as Effect from "effect/Effect"
import type { Tcp } from "../ground/Tcp.ts"
import { dial } from "./Dialogue.ts"
import { addressOf, type Track } from "./Session.ts"
import type { RtspTarget } from "./Target.ts"

/** What stands in the session description of a track; it was read from lines, and is one. */
const mediaLines = ({ media }: Track, index: number): ReadonlyArray<string> => {
  const { fmtp, kind, payloadType, rtpmap } = media
  return [
    `m=${kind} 0 RTP/AVP ${payloadType}`,
    ...(rtpmap === undefined ? [] : [`a=rtpmap:${payloadType} ${rtpmap}`]),
    ...(fmtp === undefined ? [] : [`a=fmtp:${payloadType} ${fmtp}`]),
    `a=control:trackID=${index}`
  ]
}

const sdpOf = (tracks: ReadonlyArray<Track>): string =>
  [
    ...["v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0"],
    ...tracks.flatMap(mediaLines),
    ""
  ].join("\r\n")

/**
 * Publishes these tracks to a server (RFC 2326, ANNOUNCE and RECORD), for as long as the scope lives: their packets go on
 * the same channels as they came.
 */
export const publish = Effect.fn("Rtsp.publish")(function* (
  tcp: Tcp["Service"],
  target: RtspTarget,
  tracks: ReadonlyArray<Track>
) {
  // it says nothing but RTCP, which nobody needs
  const dialogue = yield* dial(tcp, target, { frame: () => false, frames: () => undefined })
  const { ask, connection, ended } = dialogue
  const { url } = target
  yield* ask("ANNOUNCE", url, { "Content-Type": "application/sdp" }, sdpOf(tracks))
  let session: string | undefined
  for (const [index, { channel }] of tracks.entries()) {
    const transport = `RTP/AVP/TCP;unicast;interleaved=${channel}-${channel + 1};mode=record`
    const { headers } = yield* ask("SETUP", addressOf(url, `trackID=${index}`), {
      Transport: transport,
      Session: session
    })
    session ??= headers.get("session")?.[0]?.split(";")[0]
  }
  yield* ask("RECORD", url, { Session: session })
  return { connection, ended }
})
