import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { makeGate, type Urgency } from "../../src/process/Gate.ts"

/** Somebody at the gate: in once `inside`, with the places that it was told; `leave` goes, or gives up. */
const comer = Effect.fnUntraced(function* (gate: ReturnType<typeof makeGate>, urgency: Urgency = "stream") {
  const scope = yield* Scope.make()
  const places: Array<number> = []
  const state = { inside: false }
  const fiber = yield* gate
    .enter(urgency, (place) => Effect.sync(() => void places.push(place)))
    .pipe(
      Scope.provide(scope),
      Effect.andThen(Effect.sync(() => (state.inside = true))),
      Effect.forkChild({ startImmediately: true })
    )
  const leave = Effect.andThen(Fiber.interrupt(fiber), Scope.close(scope, Exit.void))
  return { inside: () => state.inside, leave, places }
})

it.effect("so many are in at once; the next comes in when one leaves, and each knows its place until then", () =>
  Effect.gen(function* () {
    const gate = makeGate(() => 2)
    const [one, two, three, four] = [yield* comer(gate), yield* comer(gate), yield* comer(gate), yield* comer(gate)]
    expect([one, two, three, four].map(({ inside }) => inside())).toEqual([true, true, false, false])
    expect(one.places).toEqual([])
    yield* two.leave
    expect([three.inside(), four.inside()]).toEqual([true, false])
    yield* one.leave
    expect(four.inside()).toBe(true)
    expect([three.places, four.places]).toEqual([
      [1, 0],
      [2, 1, 0]
    ])
  })
)

it.effect("streams come before snapshots, and who came first before who came later", () =>
  Effect.gen(function* () {
    const gate = makeGate(() => 1)
    const inside = yield* comer(gate)
    const snapshot = yield* comer(gate, "snapshot")
    const first = yield* comer(gate, "stream")
    const second = yield* comer(gate, "stream")
    expect([snapshot, first, second].map(({ places }) => places)).toEqual([[1, 2, 3], [1], [2]])
    const order: Array<string> = []
    for (const leaving of [inside, first, second]) {
      yield* leaving.leave
      const names = { snapshot, first, second }
      order.push(
        Object.entries(names)
          .filter(([, one]) => one.inside())
          .map(([name]) => name)
          .join()
      )
    }
    expect(order).toEqual(["first", "first,second", "snapshot,first,second"])
  })
)

it.effect("who gives up leaves the queue, and keeps nobody out", () =>
  Effect.gen(function* () {
    const gate = makeGate(() => 1)
    const [one, two, three] = [yield* comer(gate), yield* comer(gate), yield* comer(gate)]
    yield* two.leave
    expect(three.places).toEqual([2, 1])
    yield* one.leave
    expect(three.inside()).toBe(true)
    expect(two.inside()).toBe(false)
    yield* three.leave
    expect((yield* comer(gate)).inside()).toBe(true)
  })
)

it.effect("a limit that is raised lets in who waits, the first first", () =>
  Effect.gen(function* () {
    let limit = 1
    const gate = makeGate(() => limit)
    yield* comer(gate)
    const [one, two, three] = [yield* comer(gate), yield* comer(gate), yield* comer(gate)]
    limit = 3
    yield* gate.limitChanged
    expect([one, two, three].map(({ inside }) => inside())).toEqual([true, true, false])
    expect(three.places).toEqual([3, 1])
  })
)
