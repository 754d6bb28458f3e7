import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { makeWarner } from "../../src/telemetry/Warner.ts"
import { listening } from "../support/Log.ts"

it.effect(
  "what others make happen again and again is said once in 10 s, with how often it was, and never of too many",
  () => {
    const { layer, lines } = listening()
    const knocked = { level: "warning", message: "knocked" }
    return Effect.gen(function* () {
      const warn = yield* makeWarner
      const knock = (who: string) => warn(who, "knocked", { who })
      for (let n = 0; n < 5; n++) knock("a")
      knock("b")
      expect(lines.splice(0)).toEqual([
        { ...knocked, who: "a" },
        { ...knocked, who: "b" }
      ])
      yield* TestClock.adjust("10 seconds")
      knock("a")
      knock("a")
      knock("b")
      expect(lines.splice(0)).toEqual([
        { ...knocked, who: "a", times_unsaid_before: 4 },
        { ...knocked, who: "b" }
      ])
      for (let n = 0; n < 1000; n++) knock(`stranger ${n}`)
      expect(lines.splice(0)).toHaveLength(254)
      yield* TestClock.adjust("10 seconds")
      knock("somebody new")
      expect(lines).toEqual([{ ...knocked, who: "somebody new" }])
    }).pipe(Effect.provide(layer))
  }
)
