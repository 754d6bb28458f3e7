import { assert, describe, it } from "@effect/vitest"
import type { Identity } from "../../src/device/Device.ts"
import { type Presence, recognise } from "../../src/device/Recognition.ts"

/** A camera as `A1`: its serial number (`-` has none), and its position. */
const camera = (text: string): Identity => {
  const [serial = "", position = ""] = text
  return serial === "-" ? { position } : { serial, position }
}

const cameras = (text: string): ReadonlyArray<string> => text.split(" ").filter((one) => one !== "")

/** Names everybody who is there, in this order, and tells the names; records are changed as they are with each naming. */
const nameAll = (
  records: Map<string, Identity>,
  there: ReadonlyArray<string>,
  order: ReadonlyArray<number> = there.map((_, i) => i)
) => {
  const entries = there.map((one): { -readonly [Key in keyof Presence]: Presence[Key] } => ({ identity: camera(one) }))
  for (const i of order) {
    const entry = entries[i]
    if (entry === undefined) continue
    const others = entries.filter((other) => other !== entry)
    const { isDoubtful, name = `camera${records.size}` } = recognise(entry.identity, others, records)
    entry.named = { name, isDoubtful }
    records.set(name, entry.identity)
  }
  return entries.map(({ named }) => named?.name ?? "")
}

/** `camera0`, `camera1`, … and where they were seen last. */
const recordsOf = (seen: ReadonlyArray<string>) => new Map(seen.map((one, i) => [`camera${i}`, camera(one)]))

const known = (records: Map<string, Identity>, names: ReadonlyArray<string>, before = records.size) =>
  names.map((name) => (Number(name.slice("camera".length)) < before ? name.slice("camera".length) : "new"))

const permutations = (length: number): ReadonlyArray<ReadonlyArray<number>> =>
  length === 0
    ? [[]]
    : permutations(length - 1).flatMap((rest) =>
        Array.from({ length }, (_, at) => [...rest.slice(0, at), length - 1, ...rest.slice(at)])
      )

describe("a camera that is plugged in", () => {
  it.each([
    // [what happens, seen before, there now, who is who]
    ["is new where nothing is known", "", "A1", "new"],
    ["is itself where it was", "A1", "A1", "0"],
    ["is itself at another port, if its serial number is its own", "A1", "A2", "0"],
    ["is another at that port, if it has another serial number", "A1", "B1", "new"],
    ["is another at that port, if the one before had no serial number", "-1", "A1", "new"],
    ["is another at that port, if it has no serial number itself", "A1", "-1", "new"],
    ["is known by its port alone without a serial number", "-1 -2", "-2 -3", "1 new"],
    ["is itself beside another, where both were", "A1 B2", "B2 A1", "1 0"],
    ["has changed places with another", "A1 B2", "A2 B1", "0 1"],
    ["is one of two twins where they were", "A1 A2", "A2 A1", "1 0"],
    ["is the second of two twins, alone where it was", "A1 A2", "A2", "1"],
    ["is a new twin beside the known one", "A1", "A2 A1", "new 0"],
    ["is the twin that moved, as the other one is where it was", "A1 A2", "A1 A3", "0 1"],
    ["is the first of twins that moved, as the other one is where it was", "A1 A2", "A3 A2", "0 1"],
    ["is new when it may be either of two twins", "A1 A2", "A3", "new"],
    ["is new when both twins moved", "A1 A2", "A3 A4", "new new"],
    ["is new when it or its twin may be the known one", "A1", "A2 A3", "new new"],
    ["is new when three twins are two that are known, one of them where it was", "A1 A2", "A1 A3 A4", "0 new new"],
    ["is one of two where the driver says the same position of both", "-1 -1", "-1 -1", "0 1"],
    ["is a second one where the driver says the same position of both", "-1", "-1 -1", "0 new"],
    ["is new beside a twin of which the driver says the same position", "A1", "A1 A1", "0 new"]
  ])("%s", (_title, seen, there, expected) => {
    const records = recordsOf(cameras(seen))
    assert.deepStrictEqual(known(records, nameAll(records, cameras(there)), cameras(seen).length), cameras(expected))
  })

  const kinds = ["A1", "A2", "A3", "A4", "B1", "-1"]
  /** Every choice of up to so many, one of a kind or several, whatever the order. */
  const sets = (most: number, from = 0): ReadonlyArray<ReadonlyArray<string>> =>
    most === 0
      ? [[]]
      : [[], ...kinds.slice(from).flatMap((kind, i) => sets(most - 1, from + i).map((rest) => [kind].concat(rest)))]
  /** Every world of up to three records and up to three cameras. */
  const worlds = sets(3).flatMap((seen) => sets(3).map((there) => ({ seen, there })))

  it("is, in every small world, the same one in whatever order all are looked at, and never two at once", () => {
    for (const { seen, there } of worlds) {
      const inOrders = permutations(there.length).map((order) => {
        const records = recordsOf(seen)
        const names = nameAll(records, there, order)
        assert.strictEqual(new Set(names).size, there.length, `${seen} | ${there}`)
        // who are alike in all that can be seen may stand for each other
        return known(records, names, seen.length)
          .map((name, i) => `${there[i]} is ${name}`)
          .sort()
          .join()
      })
      assert.strictEqual(new Set(inOrders).size, 1, `${seen} | ${there}: ${inOrders.join(" or ")}`)
    }
  })

  it("is, in every small world, who it was when all are plugged in again where they were", () => {
    for (const { seen, there } of worlds) {
      const records = recordsOf(seen)
      const names = nameAll(records, there)
      assert.deepStrictEqual([...nameAll(records, there)].sort(), [...names].sort(), `${seen} | ${there}`)
      if (new Set(there).size === there.length) assert.deepStrictEqual(nameAll(records, there), names)
    }
  })

  it("is, in every small world, who it was when its record is exact", () => {
    for (const { seen, there } of worlds) {
      if (new Set(seen).size < seen.length || new Set(there).size < there.length) continue
      const records = recordsOf(seen)
      const names = nameAll(records, there)
      there.forEach((one, i) => {
        if (seen.includes(one)) assert.strictEqual(names[i], `camera${seen.indexOf(one)}`, `${seen} | ${there}`)
      })
    }
  })
})

describe("a serial number", () => {
  const isShared = (text: string, others: string, records: string): boolean =>
    recognise(
      camera(text),
      cameras(others).map((other) => ({ identity: camera(other) })),
      recordsOf(cameras(records))
    ).isShared

  it("is shared when another camera has it or had it, and no serial number is none", () => {
    assert.isTrue(isShared("A1", "A2", ""))
    assert.isTrue(isShared("A1", "", "A1 A2"))
    assert.isFalse(isShared("A1", "B2 -1", "A2 B1"))
    assert.isFalse(isShared("-1", "-1", "-1 -1"))
  })
})
