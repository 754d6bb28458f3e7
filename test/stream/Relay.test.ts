import { assert, describe, it } from "vitest"
import type { SdpMedia } from "../../src/media/Sdp.ts"
import { makeRelay } from "../../src/stream/Relay.ts"

const media = (kind: string, encoding: string): SdpMedia => ({
  kind,
  payloadType: 96,
  encoding,
  clockRate: 90_000,
  fmtp: undefined,
  control: undefined,
  frameRate: undefined,
  isForUs: false,
  rtpmap: `${encoding}/90000`
})

/** A relay of these encodings, on channels 0, 2, 4 …; `passes` tells whether a frame goes on. */
const relayOf = (...encodings: ReadonlyArray<string>) => {
  const wrongs: Array<string> = []
  const relay = makeRelay(() => ({ monotonic: 0, wall: 0 }), {
    keyframe: () => undefined,
    klv: () => undefined,
    bFrame: () => undefined,
    started: () => undefined,
    choked: () => undefined,
    wrong: (detail) => void wrongs.push(detail)
  })
  const tracks = encodings.map((encoding, i) => ({
    media: media(i === 0 ? "video" : "application", encoding),
    channel: 2 * i
  }))
  relay.to({ send: () => undefined, unsent: () => 0, fingerprint: undefined }, tracks)
  const passes = (channel: number, packet: Uint8Array) => {
    const frame = Buffer.concat([Buffer.from([0x24, channel, packet.length >> 8, packet.length & 255]), packet])
    return relay.frame(channel, frame, 0, frame.length)
  }
  return { passes, wrongs }
}

interface Head {
  readonly timestamp?: number
  readonly isLast?: boolean
  /** the first byte: version, padding, extension, CSRCs */
  readonly first?: number
}

const rtp = (payload: ReadonlyArray<number> | Uint8Array, { first = 0x80, isLast, timestamp = 0 }: Head = {}) => {
  const head = Buffer.from([first, isLast === true ? 0xe0 : 0x60, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9])
  head.writeUInt32BE(timestamp, 4)
  return Buffer.concat([head, Buffer.from(payload)])
}

describe("packets that have nothing in them", () => {
  it.each([
    ["one of the head alone", "h264", rtp([])],
    ["one of the head and a source", "h264", rtp([0, 0, 0, 1], { first: 0x81 })],
    ["one of the head and an extension", "vp8", rtp([0, 0, 0, 1, 1, 2, 3, 4], { first: 0x90 })],
    ["one of padding alone", "mp2t", rtp([0, 0, 3], { first: 0xa0 })],
    ["an empty fragment of H.264", "h264", rtp([0x7c, 0x05])],
    ["an empty fragment of H.265", "h265", rtp([0x62, 1, 1])]
  ])("do not go on: %s", (_, encoding, packet) => {
    assert.isFalse(relayOf(encoding).passes(0, packet))
  })

  it.each([
    ["a fragment of H.264", "h264", rtp([0x7c, 0x05, 1])],
    ["a fragment of H.265", "h265", rtp([0x62, 1, 1, 1])],
    ["a small unit of H.264", "h264", rtp([0x09, 0xf0])],
    ["what looks like a fragment of another codec", "vp8", rtp([0x7c, 0x05])]
  ])("are no small ones: %s", (_, encoding, packet) => {
    assert.isTrue(relayOf(encoding).passes(0, packet))
  })

  it("nor go on frames that are shorter than RTP's head, on whatever channel", () => {
    const { passes } = relayOf("h264")
    assert.deepEqual(
      [0, 4, 11, 12, 28].map((length) => passes(1, Buffer.alloc(length))),
      [false, false, false, true, true]
    )
  })
})

describe("metadata", () => {
  const piece = Buffer.alloc(1000)

  it("that never ends is the end, as MediaMTX would keep all of it", () => {
    const { passes, wrongs } = relayOf("h264", "smpte336m")
    let passed = 0
    while (passed < 5000 && passes(2, rtp(piece))) passed++
    assert.isAtLeast(passed, 1000)
    assert.isAtMost(passed, 1049)
    assert.isFalse(passes(2, rtp([1], { isLast: true, timestamp: 1 })))
    assert.deepEqual(wrongs, ["its metadata has no end"])
  })

  it.each([
    ["of another format", (packet: Buffer) => packet.writeUInt8(0xe1, 1)],
    ["with padding of no length", (packet: Buffer) => packet.writeUInt8(0xa0, 0)],
    ["with an extension", (packet: Buffer) => packet.writeUInt8(0x90, 0)]
  ])("has no end by a packet that MediaMTX may pass over: one %s", (_, alter) => {
    const { passes, wrongs } = relayOf("h264", "smpte336m")
    const end = rtp([0xbe, 0xde, 0, 1, 0, 0, 0, 0, 1, 0], { isLast: true, timestamp: 1 })
    alter(end)
    for (let i = 0; i < 2000; i++) {
      passes(2, rtp(piece))
      assert.isFalse(passes(2, end))
    }
    assert.deepEqual(wrongs, ["its metadata has no end"])
  })

  it.each([
    ["by markers", (i: number) => ({ isLast: i % 500 === 0 })],
    ["by timestamps", (i: number) => ({ timestamp: Math.floor(i / 500) })]
  ])("that ends %s may go on for ever", (_, head) => {
    const { passes, wrongs } = relayOf("h264", "smpte336m")
    for (let i = 0; i < 5000; i++) assert.isTrue(passes(2, rtp(piece, head(i))))
    assert.deepEqual(wrongs, [])
  })
})
