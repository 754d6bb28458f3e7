import { assert, describe, it } from "@effect/vitest"
import { awaited, nextPlaylist, type Playlist } from "../../src/media/HlsPlaylist.ts"

/** As MediaMTX writes it. */
const written = (run: string, first: number, count: number): string =>
  [
    "#EXTM3U",
    "#EXT-X-VERSION:10",
    "#EXT-X-TARGETDURATION:1",
    `#EXT-X-MEDIA-SEQUENCE:${first}`,
    `#EXT-X-MAP:URI="${run}_video1_init.mp4?session=1"`,
    ...Array.from({ length: count }, (_, i) => `#EXTINF:0.80000,\n${run}_video1_seg${first + i}.mp4?session=1`),
    ""
  ].join("\n")

/** As MediaMTX writes it with low latency: gaps, whole segments, and a segment of which one part is there. */
const early = (run: string, first: number, gaps: number, segments: ReadonlyArray<string>, part: number): string =>
  [
    "#EXTM3U",
    "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.50000,CAN-SKIP-UNTIL=6.00000",
    `#EXT-X-MEDIA-SEQUENCE:${first}`,
    `#EXT-X-MAP:URI="${run}_video1_init.mp4?session=1"`,
    ...Array.from({ length: gaps }, () => "#EXT-X-GAP\n#EXTINF:1.08000,\ngap.mp4"),
    ...segments.map((name) => `#EXTINF:1.08000,\n${run}_video1_${name}.mp4?session=1`),
    `#EXT-X-PART:DURATION=0.20000,URI="${run}_video1_part${part}.mp4?session=1",INDEPENDENT=YES`,
    `#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${run}_video1_part${part + 1}.mp4?session=1"`,
    ""
  ].join("\n")

/** What a player needs: the number of the first segment, that of its discontinuity, and what they are called. */
const read = ({ text }: Playlist) => ({
  first: Number(/^#EXT-X-MEDIA-SEQUENCE:(\d+)\n/m.exec(text)?.[1]),
  discontinuities: Number(/^#EXT-X-DISCONTINUITY-SEQUENCE:(\d+)\n/m.exec(text)?.[1] ?? 0),
  begins: /^#EXT-X-DISCONTINUITY\n#EXT-X-MAP/m.test(text),
  names: text.match(/^\w+seg\d+/gm) ?? []
})

describe("a playlist", () => {
  it("is MediaMTX's own while the stream does not end", () => {
    const one = nextPlaylist(undefined, written("aa", 7, 14))
    const two = nextPlaylist(one, written("aa", 9, 14))
    assert.deepStrictEqual([one.text, two.text], [written("aa", 7, 14), written("aa", 9, 14)])
  })

  it("goes on in its numbers where a stream begins anew, after a discontinuity, each time", () => {
    let last = nextPlaylist(undefined, written("aa", 7, 14))
    last = nextPlaylist(last, written("bb", 0, 2))
    const names = ["bb_video1_seg0", "bb_video1_seg1"]
    assert.deepStrictEqual(read(last), { first: 21, discontinuities: 0, begins: true, names })
    last = nextPlaylist(last, written("bb", 0, 14))
    assert.deepInclude(read(last), { first: 21, discontinuities: 0, begins: true })
    // its first segment is out of it
    last = nextPlaylist(last, written("bb", 3, 14))
    assert.deepInclude(read(last), { first: 24, discontinuities: 1, begins: false })
    last = nextPlaylist(last, written("cc", 0, 1))
    assert.deepInclude(read(last), { first: 38, discontinuities: 1, begins: true })
    // somebody else has watched for a while
    last = nextPlaylist(last, written("dd", 40, 14))
    assert.deepInclude(read(last), { first: 39, discontinuities: 2, begins: true })
    last = nextPlaylist(last, written("dd", 41, 14))
    assert.deepInclude(read(last), { first: 40, discontinuities: 3, begins: false })
  })

  it("of low latency goes on too, without the gaps that a stream begins with, and waits for what its player names", () => {
    const begun = nextPlaylist(undefined, early("aa", 1, 6, ["seg7"], 6))
    assert.strictEqual(begun.text, early("aa", 1, 6, ["seg7"], 6))
    // the segment after those that are there, which grows part by part
    assert.strictEqual(awaited(begun, new URLSearchParams("_HLS_msn=8&_HLS_part=3")), "&_HLS_msn=8&_HLS_part=3")
    let last = nextPlaylist(begun, early("bb", 1, 6, [], 0))
    assert.deepInclude(read(last), { first: 8, begins: true, names: [] })
    assert.notInclude(last.text, "gap")
    assert.strictEqual(awaited(last, new URLSearchParams("_HLS_msn=8&_HLS_part=1")), "&_HLS_msn=7&_HLS_part=1")
    assert.strictEqual(awaited(last, new URLSearchParams("_HLS_msn=9")), "&_HLS_msn=8")
    for (const nothing of ["", "_HLS_msn=0", "_HLS_part=2"]) {
      assert.strictEqual(awaited(last, new URLSearchParams(nothing)), "", nothing)
    }
    last = nextPlaylist(last, early("bb", 2, 5, ["seg7"], 6))
    assert.deepInclude(read(last), { first: 8, begins: true, names: ["bb_video1_seg7"] })
    last = nextPlaylist(last, early("bb", 8, 0, ["seg8", "seg9"], 14))
    assert.deepInclude(read(last), { first: 9, discontinuities: 1, begins: false })
  })
})
