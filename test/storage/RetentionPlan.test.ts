import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { type Rule, type Rules, stages, type Task, verdict } from "../../src/storage/RetentionPlan.ts"

interface OneFile {
  readonly name: string
  readonly device: string
  readonly bytes: number
  readonly modified: number
  readonly isHeld: boolean
}

const now = 1_800_000_000_000
const minute = 60_000
const cameras = ["camera0", "camera1", "camera2"]

const files = fc
  .array(
    fc.record({
      device: fc.constantFrom(...cameras),
      bytes: fc.integer({ min: 0, max: 100 }),
      age: fc.integer({ min: 0, max: 100 }),
      isHeld: fc.boolean()
    }),
    { maxLength: 40 }
  )
  .map((all) =>
    all
      .map(({ age, ...file }, i): OneFile => ({
        ...file,
        name: `file${String(i).padStart(2, "0")}`,
        modified: now - age * minute
      }))
      .toSorted((a, b) => a.modified - b.modified || (a.name < b.name ? -1 : 1))
  )

const limit = (max: number) => fc.option(fc.integer({ min: 0, max }), { nil: undefined })
const rule: fc.Arbitrary<Rule> = fc.oneof(
  { weight: 1, arbitrary: fc.constant<Rule>("KEPT") },
  {
    weight: 4,
    arbitrary: fc.record({ maxAgeMillis: limit(100).map((age) => age && age * minute), maxBytes: limit(1500) })
  }
)
const rules: fc.Arbitrary<Rules> = fc.record({
  all: rule,
  own: fc.dictionary(fc.constantFrom(...cameras), rule).map((own) => new Map(Object.entries(own)))
})
const missings = fc.integer({ min: -100, max: 1500 })

const ruleOf = ({ all, own }: Rules, device: string) => own.get(device) ?? all
const sum = (some: ReadonlyArray<OneFile>) => some.reduce((all, { bytes }) => all + bytes, 0)
/** Whether the task may touch it at all. */
const isAbout = (task: Task, given: Rules, file: OneFile) =>
  !file.isHeld &&
  ruleOf(given, file.device) !== "KEPT" &&
  (task.device ?? file.device) === file.device &&
  file.modified < task.before

/** All stages on these files: what each task found, and what of it went. */
const carryOut = (all: ReadonlyArray<OneFile>, given: Rules, missing: number) => {
  let left = all
  const done: Array<{
    readonly task: Task
    readonly found: ReadonlyArray<OneFile>
    readonly went: ReadonlyArray<OneFile>
  }> = []
  for (const stage of stages) {
    const lacking = missing - (sum(all) - sum(left))
    for (const task of stage(given, { now, stored: left, missing: lacking })) {
      const went: Array<OneFile> = []
      for (const file of left) {
        if (task.device !== undefined && task.device !== file.device) continue
        const fate = verdict(task, given, sum(went), file)
        if (fate === "done") break
        if (fate === "goes" && !file.isHeld) went.push(file)
      }
      done.push({ task, found: left, went })
      left = left.filter((file) => !went.includes(file))
    }
  }
  return { done, left }
}

const always = (property: (all: ReadonlyArray<OneFile>, given: Rules, missing: number) => void) =>
  fc.assert(fc.property(files, rules, missings, property), { numRuns: 2000 })

describe("what retention deletes", () => {
  it("is never what is held, kept, or that young", () => {
    always((all, given, missing) => {
      for (const { went } of carryOut(all, given, missing).done) {
        for (const file of went) {
          assert.isFalse(file.isHeld)
          assert.notStrictEqual(ruleOf(given, file.device), "KEPT")
        }
      }
      const young = carryOut(all, given, missing).done.filter(({ task }) => task.why !== "age")
      for (const { went } of young) for (const { modified } of went) assert.isBelow(modified, now - minute + 1)
    })
  })

  it("is the oldest of what may go", () => {
    always((all, given, missing) => {
      for (const { found, task, went } of carryOut(all, given, missing).done) {
        const last = went.at(-1)
        if (last === undefined) continue
        const older = found.slice(0, found.indexOf(last) + 1).filter((file) => isAbout(task, given, file))
        assert.deepStrictEqual(went, older)
      }
    })
  })

  it("is never more than had to go: without the last file it was not enough", () => {
    always((all, given, missing) => {
      for (const { task, went } of carryOut(all, given, missing).done) {
        if (task.why !== "age" && went.length > 0) assert.isBelow(sum(went.slice(0, -1)), task.bytes)
      }
    })
  })

  it("is enough, or all that may go", () => {
    always((all, given, missing) => {
      for (const { found, task, went } of carryOut(all, given, missing).done) {
        const isEnough = sum(went) >= task.bytes
        assert.isTrue(isEnough || found.every((file) => went.includes(file) || !isAbout(task, given, file)))
      }
      const { left } = carryOut(all, given, missing)
      for (const file of left) {
        const of = ruleOf(given, file.device)
        if (of === "KEPT" || file.isHeld || of.maxAgeMillis === undefined) continue
        assert.isAtLeast(file.modified, now - of.maxAgeMillis)
      }
    })
  })
})
