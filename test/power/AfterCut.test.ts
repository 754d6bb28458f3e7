import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { temporaryFolder } from "../storage/Workbench.ts"
import { fragment, init, key, other } from "../support/FragmentedMp4.ts"
import { lookAfter } from "./AfterCut.ts"
import type { History, Sample } from "./History.ts"

/** Two seconds in ten parts, as MediaMTX writes them. */
const parts = Array.from({ length: 10 }, (_, i) =>
  fragment(i * 200, [i === 0 ? key : other, other, other, other, other])
)
const recorded = (count = parts.length): Buffer => Buffer.concat([init, ...parts.slice(0, count)])
const remuxed = Buffer.from("the same in another container")

const first = (format: string) => `camera0_2026-01-02_03-04-05_000001.${format}`
const next = (format: string) => `camera0_2026-01-02_03-04-07_000002.${format}`

/** What a power cut cost that left of one recording what is given, when it had gone on to another one for so long. */
const cost = Effect.fnUntraced(function* (format: string, left: Buffer, goneOnSeconds = 0) {
  const folder = yield* temporaryFolder
  mkdirSync(join(folder, "recordings"))
  writeFileSync(join(folder, "recordings", first(format)), left)
  const isMkv = format === "mkv"
  const bytesOf = (name: string) => (name === first(format) ? recorded().length : 0)
  const sample = (time: number, ...names: ReadonlyArray<string>): Sample => ({
    at: time,
    time,
    recordings: new Map(names.map((name) => [name, bytesOf(name)]))
  })
  const renamed = new Map([
    [first("mp4"), undefined],
    [first(format), recorded().length]
  ])
  const goesOn = 60 - goneOnSeconds * 2
  const history: History = {
    started: Number.POSITIVE_INFINITY,
    policies: [],
    keys: [],
    revoked: [],
    snapshots: [],
    starts: [],
    stops: [],
    // every half second: a machine that is not late; first of all as MediaMTX names it
    samples: Array.from({ length: 60 }, (_, i) => {
      if (i === 0) return sample(0, first("mp4"))
      if (i === 1 && isMkv) return { ...sample(500, first(format)), recordings: renamed }
      return i === goesOn ? sample(i * 500, next(format)) : sample(i * 500)
    }),
    files: new Map([[`recordings/${first(format)}`, isMkv ? remuxed : recorded()]]),
    written: new Map(isMkv ? [[first(format), recorded()]] : []),
    end: 30_000
  }
  const { broken, lostSeconds } = yield* lookAfter(folder, history, { at: history.end })
  return { broken, lostSeconds: Math.round(lostSeconds * 10) / 10 }
})

for (const format of ["mp4", "mkv"]) {
  it.live(`of an ${format} that is being recorded a cut costs what it does not play any more`, () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* cost(format, recorded()), { broken: [], lostSeconds: 0 })
      assert.deepStrictEqual(yield* cost(format, recorded(6)), { broken: [], lostSeconds: 0.8 })
      const zeros = Buffer.alloc(recorded().length)
      assert.deepStrictEqual(yield* cost(format, zeros), { broken: [], lostSeconds: 2 })
      recorded(5).copy(zeros)
      // bytes that were never written play as nothing
      assert.isAtLeast((yield* cost(format, zeros)).lostSeconds, 1)
      assert.strictEqual((yield* cost(format, Buffer.alloc(0))).lostSeconds, 2)
    })
  )

  it.live(`a segment of an ${format} that lacks its end is told when the next one is long there`, () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* cost(format, recorded(), 20)).broken, [])
      assert.lengthOf((yield* cost(format, recorded(9), 20)).broken, 1)
    })
  )
}

it.live("an mkv that was remuxed lost nothing, and half a copy of it all", () =>
  Effect.gen(function* () {
    assert.deepStrictEqual(yield* cost("mkv", remuxed, 20), { broken: [], lostSeconds: 0 })
    assert.strictEqual((yield* cost("mkv", remuxed.subarray(0, 10))).lostSeconds, 2)
  })
)
