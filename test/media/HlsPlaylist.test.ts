import { assert, describe, it } from "@effect/vitest"
import { nextPlaylist, type Playlist } from "../../src/media/HlsPlaylist.ts"

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
})
