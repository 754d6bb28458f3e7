import { assert, describe, it } from "@effect/vitest"
import { Trials } from "../../src/rtsp/Trials.ts"

const minute = 60_000

describe("a password at one camera", () => {
  const begin = () => {
    let time = 0
    const trials = new Trials(() => time)
    return { trials, pass: (millis: number) => void (time += millis) }
  }

  it("is shown twice, whoever shows it, and again after five minutes", () => {
    const { pass, trials } = begin()
    trials.begin()?.refused()
    pass(minute)
    trials.begin()?.refused()
    assert.isUndefined(trials.begin())
    assert.strictEqual(trials.pause(), 5 * minute)
    pass(5 * minute - 1)
    assert.isUndefined(trials.begin())
    pass(1)
    assert.isDefined(trials.begin())
  })

  it("is shown by two at once, and by no third before one of them has its answer", () => {
    const { trials } = begin()
    const [one, other] = [trials.begin(), trials.begin()]
    assert.isUndefined(trials.begin())
    other?.refused()
    assert.isUndefined(trials.begin())
    one?.taken()
    assert.isDefined(trials.begin())
  })

  it("that was neither taken nor refused does not count", () => {
    const { trials } = begin()
    for (let times = 0; times < 10; times++) trials.begin()?.void()
    assert.isDefined(trials.begin())
  })

  it("that is taken in the end, another way than it was shown first, is shown as often as it is needed", () => {
    const { trials } = begin()
    for (let times = 0; times < 10; times++) {
      trials.begin()?.refused()
      const second = trials.begin()
      assert.isDefined(second)
      second?.taken()
      // its first word counts
      second?.refused()
    }
  })
})
