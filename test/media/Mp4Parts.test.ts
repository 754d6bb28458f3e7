import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { type Mp4Parts, mp4Parts } from "../../src/media/Mp4Parts.ts"
import { avc1, box, fragment, init, key, other, start, trak, words } from "../support/FragmentedMp4.ts"

const read = (file: Uint8Array, before?: Mp4Parts) => {
  const reading = mp4Parts(before)
  let asked = 0
  let step = reading.next()
  while (step.done !== true) {
    asked++
    step = reading.next(file.subarray(step.value.position, step.value.position + step.value.length))
  }
  return { found: step.value, asked }
}

describe("the parts of a fragmented MP4", () => {
  const first = fragment(0, [key, other])
  const second = fragment(80, [other, other])
  const third = fragment(160, [other, key])

  it("begin with each fragment that has a keyframe; those without go with the one before", () => {
    const { found } = read(Buffer.concat([init, first, second, third]))
    assert.deepStrictEqual(found, {
      codec: "avc1.42C01E",
      initBytes: init.length,
      parts: [
        { offset: init.length, length: first.length + second.length, start: 0, duration: 0.16, keyframe: 0 },
        {
          offset: init.length + first.length + second.length,
          length: third.length,
          start: 0.16,
          duration: 0.08,
          keyframe: 0.2
        }
      ]
    })
  })

  it("are known of a file that is being written, as far as it is whole", () => {
    const whole = Buffer.concat([init, first, second])
    for (let cut = 1; cut < second.length; cut++) {
      const { found } = read(whole.subarray(0, whole.length - cut))
      assert.deepStrictEqual(found?.parts, [
        { offset: init.length, length: first.length, start: 0, duration: 0.08, keyframe: 0 }
      ])
    }
  })

  it("are read on from where they ended when the file was shorter", () => {
    const whole = Buffer.concat([init, first, second, third])
    for (const length of [init.length + first.length, init.length + first.length + 10, whole.length - 1]) {
      const before = read(whole.subarray(0, length)).found
      assert.deepStrictEqual(read(whole, before).found, read(whole).found)
    }
    const all = read(whole)
    assert.isBelow(read(whole, all.found).asked, all.asked)
  })

  it("have the sound between their pictures with them", () => {
    const sound = fragment(0, [0], 2)
    const { found } = read(Buffer.concat([start(trak(2, "soun", avc1), trak(1, "vide", avc1)), first, sound, third]))
    assert.deepStrictEqual(
      found?.parts.map(({ length }) => length),
      [first.length + sound.length, third.length]
    )
  })

  it("take one read a fragment", () => {
    const fragments = Array.from({ length: 100 }, (_, i) => fragment(i * 80, [key, other]))
    const { asked, found } = read(Buffer.concat([init, ...fragments]))
    assert.lengthOf(found?.parts ?? [], 100)
    assert.isAtMost(asked, 106)
  })

  it("of a fragment that says that it has samples without end take no longer for it", () => {
    const many = box(
      "moof",
      box("mfhd", words(0, 1)),
      box(
        "traf",
        box("tfhd", words(0x020000, 1)),
        box("tfdt", words(0, 0)),
        ...Array.from({ length: 40_000 }, () => box("trun", words(0x4, 0xffffffff, key)))
      )
    )
    const { found } = read(Buffer.concat([init, many, box("mdat", Buffer.alloc(1))]))
    // 10,000 of 40 ms: without a bound they are 400 million, and take 13 s
    assert.deepStrictEqual(
      found?.parts.map(({ duration }) => duration),
      [400]
    )
  })

  it("are none where the beginning, which players need, has no end", () => {
    const [ftyp, moov] = [init.subarray(0, 16), init.subarray(16)]
    assert.isUndefined(read(Buffer.concat([ftyp, box("free", Buffer.alloc(5 << 20)), moov, first])).found)
    assert.isDefined(read(Buffer.concat([ftyp, box("free", Buffer.alloc(1 << 10)), moov, first])).found)
  })

  it("are none of any other file", () => {
    const plain = Buffer.concat([box("ftyp", Buffer.alloc(8)), box("mdat", Buffer.alloc(20)), box("moov")])
    for (const bytes of [Buffer.alloc(0), Buffer.from("no video at all"), init, plain, init.subarray(0, 100)]) {
      assert.isUndefined(read(bytes).found)
    }
  })

  it("are never read beyond the file, whatever is in it", () => {
    const file = Buffer.concat([init, first, second, third])
    const damage = fc.array(fc.tuple(fc.nat(file.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 8 })
    fc.assert(
      fc.property(damage, (changes) => {
        const damaged = Buffer.from(file)
        for (const [at, value] of changes) damaged[at] = value
        const { asked, found } = read(damaged)
        assert.isAtMost(asked, 200)
        for (const { duration, length, offset } of found?.parts ?? []) {
          assert.isAtMost(offset + length, damaged.length)
          assert.isAtLeast(duration, 0)
        }
      }),
      { numRuns: 2000 }
    )
  })
})
