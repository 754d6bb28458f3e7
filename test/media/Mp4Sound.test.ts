import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { mp4Sound } from "../../src/media/Mp4Sound.ts"
import { avc1, box, fragment, key, start, trak } from "../support/FragmentedMp4.ts"

const read = (file: Uint8Array) => {
  const reading = mp4Sound()
  let asked = 0
  let step = reading.next()
  while (step.done !== true) {
    asked++
    step = reading.next(file.subarray(step.value.position, step.value.position + step.value.length))
  }
  return { sound: step.value, asked }
}

/** An AudioSampleEntry of two channels at 48 kHz. */
const entry = (type: string, ...setup: ReadonlyArray<Uint8Array>) => {
  const head = Buffer.alloc(28)
  head.writeUInt16BE(2, 16)
  head.writeUInt32BE(48_000 * 65_536, 24)
  return box(type, head, ...setup)
}

/** What AAC is told (ISO 14496-3: object, rate, channels), in descriptors that tell the rates of the file as well. */
const aac = (config: ReadonlyArray<number>, bitrate = 0) => {
  const told = Buffer.from([0x40, 0x15, 0, 0, 0, 0, 0, 0, bitrate, 0, 0, 0, bitrate])
  const info = Buffer.from([5, config.length, ...config])
  const decoder = Buffer.concat([Buffer.from([4, 0x80, 0x80, 0x80, told.length + info.length]), told, info])
  const stream = Buffer.concat([Buffer.from([3, decoder.length + 3, 0, 1, 0]), decoder])
  return entry("mp4a", box("esds", Buffer.alloc(4), stream))
}
const lc = [0x11, 0x90]
const withSound = (sound: Uint8Array) => start(trak(1, "vide", avc1), trak(2, "soun", sound))

describe("the sound of an MP4", () => {
  it("is what every MP4 may have, found with one read", () => {
    for (const [codec, sound] of [
      ["mp4a", aac(lc)],
      ["Opus", entry("Opus", box("dOps", Buffer.alloc(11)))],
      ["ac-3", entry("ac-3", box("dac3", Buffer.alloc(3)))]
    ] as const) {
      const file = Buffer.concat([withSound(sound), ...Array.from({ length: 50 }, () => fragment(0, [key]))])
      const { asked, sound: found } = read(file)
      assert.strictEqual(found?.codec, codec)
      assert.strictEqual(asked, 1)
    }
  })

  it("is the same in files that differ by their rates alone, and another where its setup or the tracks are others", () => {
    const kind = (file: Uint8Array) => read(file).sound?.kind
    const one = kind(withSound(aac(lc)))
    assert.isDefined(one)
    assert.strictEqual(kind(withSound(aac(lc, 99))), one)
    const others = [
      withSound(aac([0x12, 0x10])),
      withSound(entry("Opus", box("dOps", Buffer.alloc(11)))),
      start(trak(1, "soun", aac(lc)), trak(2, "vide", avc1)),
      start(trak(1, "soun", aac(lc)))
    ].map(kind)
    assert.strictEqual(new Set([one, ...others]).size, 5)
  })

  it("is none of PCM, of an MP4 without sound, and of what is no MP4", () => {
    const files = [
      withSound(entry("ipcm", box("pcmC", Buffer.alloc(6)))),
      start(trak(1, "vide", avc1)),
      Buffer.alloc(100),
      Buffer.alloc(0),
      Buffer.alloc(1000, 0x47)
    ]
    for (const file of files) assert.isUndefined(read(file).sound)
  })

  it("is found behind the media, and behind long tables", () => {
    const [ftyp, moov] = [withSound(aac(lc)).subarray(0, 16), withSound(aac(lc)).subarray(16)]
    const { asked, sound } = read(Buffer.concat([ftyp, box("mdat", Buffer.alloc(100_000)), moov]))
    assert.strictEqual(sound?.codec, "mp4a")
    assert.isAtMost(asked, 3)
  })

  it("is read of bytes that may be anything, within bounds", () => {
    const whole = withSound(aac(lc))
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, value, length) => {
        const file = Buffer.from(whole.subarray(0, length))
        if (at < length) file[at] = value
        assert.isBelow(read(file).asked, 100)
      })
    )
  })
})
