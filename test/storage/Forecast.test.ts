import { assert, describe, it } from "vitest"
import { fullAt, growthOf, type Outlook } from "../../src/storage/Forecast.ts"

const day = 86_400_000
const now = Date.UTC(2026, 5, 1)

describe("how fast files come", () => {
  it("is what came since the oldest of them began", () => {
    const files = [3, 2, 1, 0].map((days) => ({ bytes: 100, created: now - days * day }))
    assert.closeTo(growthOf(files, now), 400 / 3, 0.001)
  })

  it("is not told from nothing, from what has just begun, or from files of the future", () => {
    assert.strictEqual(growthOf([], now), 0)
    assert.strictEqual(growthOf([{ bytes: 100, created: now - 1000 }], now), 0)
    assert.strictEqual(growthOf([{ bytes: 100, created: now + day }], now), 0)
  })
})

describe("when the disk is full", () => {
  const none = { maxAgeMillis: undefined, maxBytes: undefined }
  const outlook = (more: Partial<Outlook> = {}): Outlook => ({
    now,
    bytesPerDay: 10,
    stored: 100,
    room: 50,
    keepsRoom: false,
    rules: { all: none, own: new Map() },
    ...more
  })
  const limited = (limits: object) => ({ rules: { all: { ...none, ...limits }, own: new Map() } })

  it("is when its room is used up", () => assert.strictEqual(fullAt(outlook()), now + 5 * day))
  it("is now where there is none", () => assert.strictEqual(fullAt(outlook({ room: 0, keepsRoom: true })), now))
  it("is never where nothing comes, or in a hundred years", () => {
    assert.isUndefined(fullAt(outlook({ bytesPerDay: 0 })))
    assert.isUndefined(fullAt(outlook({ bytesPerDay: 0.001 })))
  })
  it("is never where retention is there before", () => {
    assert.isUndefined(fullAt(outlook({ keepsRoom: true })))
    assert.isUndefined(fullAt(outlook(limited({ maxBytes: 149 }))))
    assert.isUndefined(fullAt(outlook(limited({ maxAgeMillis: 14 * day }))))
  })
  it("is when it is where retention comes too late, or deletes nothing", () => {
    assert.strictEqual(fullAt(outlook(limited({ maxBytes: 151 }))), now + 5 * day)
    assert.strictEqual(fullAt(outlook(limited({ maxAgeMillis: 16 * day }))), now + 5 * day)
    assert.strictEqual(fullAt(outlook({ keepsRoom: true, rules: { all: "KEPT", own: new Map() } })), now + 5 * day)
  })
})
