import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Asked } from "../../src/rtsp/Message.ts"
import { playedOf } from "../support/AnsweringCamera.ts"
import { url } from "../support/NetworkCamera.ts"

/*
 * How cameras are known to answer that read RFC 2326 and RFC 4566 in their own way (what scottlamb/retina keeps of Dahua,
 * Foscam, GeoVision, Hikvision, Reolink, TP-Link, Ubiquiti, XM and others was read for it; the words are our own).
 */

const usualSdp = "v=0\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n"

/** Headers, one a line, and a body. */
interface Odd {
  readonly describe?: string
  readonly sdp?: string
  readonly setup?: string
  readonly play?: string
}

const replyTo = ({ headers, method }: Asked, { describe, play, sdp, setup }: Odd): string => {
  // some write it so
  const number = `Cseq: ${headers.get("cseq")?.[0]}\r\n`
  const body = sdp ?? usualSdp
  const lines: Readonly<Record<string, string>> = {
    DESCRIBE: `${describe ?? "Content-Type: application/sdp"}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    SETUP: `${setup ?? `Transport: ${headers.get("transport")?.[0]}\r\nSession: 1`}\r\n\r\n`,
    PLAY: `${play ?? "Session: 1"}\r\n\r\n`
  }
  return `RTSP/1.0 200 OK\r\n${number}${lines[method] ?? "\r\n"}`
}

/** What is set up and played of such a camera, and at which addresses; or why not. */
const played = (odd: Odd) => playedOf((request) => replyTo(request, odd))

const media = (...lines: ReadonlyArray<string>) => ["v=0", "s=-", "t=0 0", ...lines, ""].join("\r\n")
const video = ["m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000", "a=control:track1"]

describe("a camera", () => {
  for (const [what, odd, setup, whole] of [
    ["whose Content-Base has no scheme", { describe: "Content-Base: 192.168.1.10:554/live/" }, `${url}/track1`, url],
    ["that tells nothing of its description", { describe: "x-notes: none" }, `${url}/track1`, url],
    [
      "whose Content-Base has a query",
      { describe: "Content-Base: rtsp://10.0.0.9:5050/H264?channel=1&unicast=true" },
      "rtsp://10.0.0.9:5050/H264?channel=1&unicast=true/track1",
      "rtsp://10.0.0.9:5050/H264?channel=1&unicast=true"
    ],
    [
      "whose tracks have whole addresses with queries",
      {
        sdp: media(
          "a=control:rtsp://10.0.0.9/ch/?profile=P_1",
          ...video.slice(0, 2),
          "a=control:rtsp://10.0.0.9/ch/trackID=1?profile=P_1"
        )
      },
      "rtsp://10.0.0.9/ch/trackID=1?profile=P_1",
      "rtsp://10.0.0.9/ch/?profile=P_1"
    ]
  ] as const) {
    it.effect(`${what} is asked for its stream where that is`, () =>
      Effect.gen(function* () {
        const { asked } = yield* played(odd)
        assert.deepEqual(asked, [`SETUP ${setup}`, `PLAY ${whole} 1`])
      })
    )
  }

  for (const [what, setup, session] of [
    ["has spaces", "Session:        708345999;timeout=60", "708345999"],
    ["has spaces behind it", "Session: 9a90de54; timeout=60", "9a90de54"],
    ["has no time", "Session: F8F8E425", "F8F8E425"]
  ] as const) {
    it.effect(`whose session ${what} plays it by its name`, () =>
      Effect.gen(function* () {
        const { asked } = yield* played({ setup: `${setup}\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1` })
        assert.strictEqual(asked.at(-1), `PLAY ${url} ${session}`)
      })
    )
  }

  for (const transport of [
    'RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=4cacc3d1;mode="play"',
    "RTP/AVP/TCP;unicast;interleaved=0-1;ssrc= d6d6627",
    "RTP/AVP/TCP;ssrc=22345684;interleaved=0-1",
    "RTP/AVP/TCP;unicast;destination=10.0.0.2;source=10.0.0.9;interleaved=0-1"
  ]) {
    it.effect(`is heard on its channel: ${transport}`, () =>
      Effect.gen(function* () {
        const { found } = yield* played({ setup: `Session: 1\r\nTransport: ${transport}` })
        assert.deepInclude(found[0], { channel: 0, encoding: "h264" })
      })
    )
  }

  for (const transport of [
    "RTP/AVP;unicast;mode=PLAY;source=127.0.0.1;client_port=1-2;server_port=3-4;ssrc=0",
    "RTP/AVP;ssrc=22345685;unicast;client_port=54060-54061;server_port=49152-49153"
  ]) {
    it.effect(`that would send by UDP is refused by name: ${transport}`, () =>
      Effect.gen(function* () {
        const failed = yield* Effect.flip(played({ setup: `Session: 1\r\nTransport: ${transport}` }))
        assert.deepInclude(failed, { kind: "PROTOCOL", detail: "it does not send over TCP as it was asked to" })
      })
    )
  }

  it.effect("whose words about its first packets are none plays all the same", () =>
    Effect.gen(function* () {
      const rtpInfo =
        "Session: 1\r\nRange: npt=0.0-596.48\r\nRTP-Info: url=trackID=1;seq=1;rtptime=-1,url=;seq=;rtptime=0;"
      assert.lengthOf((yield* played({ play: rtpInfo })).found, 1)
    })
  )

  for (const [what, sdp, found] of [
    [
      "gives two rates, the first of which is none",
      media(...video.slice(0, 1), "a=rtpmap:96 H264/90000 ", "a=framerate:0S", "a=framerate:25", "a=control:trackID=3"),
      [{ encoding: "h264", frameRate: 25 }]
    ],
    [
      "has its sound first, and twice",
      media(
        ...["m=audio 0 RTP/AVP 96", "a=rtpmap:96 mpeg4-generic/48000/1", "a=control:trackID=0"],
        ...["m=audio 0 RTP/AVP 96", "a=rtpmap:96 opus/48000/2", "a=fmtp:96", "a=control:trackID=1"],
        ...["m=video 0 RTP/AVP 97", "a=rtpmap:97 H264/90000", "a=control:trackID=2"]
      ),
      [{ encoding: "h264" }, { encoding: "mpeg4-generic" }]
    ],
    [
      "gives one type another name than it has",
      media(...video, "m=audio 0 RTP/AVP 0", "a=rtpmap:0 MPEG4-GENERIC/16000/2", "a=control:trackID=2"),
      [{ encoding: "h264" }, { encoding: "mpeg4-generic" }]
    ],
    [
      "has a media line of its own making, and tabs",
      media(
        ...["m=video 0 RTP/AVP 96", "a=rtpmap:96 H265/90000", "a=control:track1"],
        ...["m=audio 0 RTP/AVP 8\t ", "a=rtpmap:8 PCMA/8000/1", "a=control:track2"],
        ...["m=application/MAKER 0 RTP/AVP smart/1/90000", "a=rtpmap:95 MAKER/90000", "a=control:track3"]
      ),
      [{ encoding: "h265" }, { encoding: "pcma" }]
    ],
    [
      "has ONVIF's metadata, which are no drone's",
      media(...video, "m=application 0 RTP/AVP 107", "a=rtpmap:107 vnd.onvif.metadata/90000", "a=control:track4"),
      [{ encoding: "h264" }]
    ],
    [
      "has no lines of a session, and none at its end",
      `v=0\nm=video 0 RTP/AVP 105\nc=IN IP4 10.0.0.9\na=control:track1\na=rtpmap:105 H264/90000\na=recvonly`,
      [{ encoding: "h264" }]
    ]
  ] as const) {
    it.effect(`whose description ${what} is understood`, () =>
      Effect.gen(function* () {
        const tracks = (yield* played({ sdp })).found
        assert.lengthOf(tracks, found.length)
        for (const [at, wanted] of found.entries()) assert.deepInclude(tracks[at], wanted)
      })
    )
  }
})
