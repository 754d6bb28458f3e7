import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { Devices } from "../../src/device/Devices.ts"
import { putRight } from "./Calm.ts"
import { agrees, forgetsWithin, hasForgotten, isBack, isHealthy, isIdle, within } from "./Looks.ts"
import { asker } from "./Served.ts"
import { deviceOf, longestLinger, type World } from "./World.ts"

/** What the service does again and again it does at least so often; what is rarer is passed over, and happens late. */
const period = 60_000
const hour = 3_600_000
/** What a timer that was due begins is done by then. */
const begun = "5 seconds"
/** So many periods without rest: something goes on for ever. */
const mostPeriods = 10

/** What changes while anything happens: what is told, done to the disk, asked of MediaMTX. */
const doneUntilNow = (world: World): string =>
  `${world.trace.count()} ${world.diskChanges()} ${world.ground.mediaMtx.calls().length}`

const faulty = ({ life }: World) =>
  (life === undefined ? [] : Context.get(life.nouns, Devices).list())
    .filter(({ fault, input }) => fault !== undefined && input.name === "v4l2")
    .map(({ id }) => ({ device: id }))

/** Nobody wants anything: what is recorded and streamed ends. */
const nobodyWants = Effect.fnUntraced(function* (world: World) {
  yield* within(120, world, isBack(world))
  const ask = asker(world, yield* world.connect())
  const names = world.cameras.map((camera) => deviceOf(world, camera) ?? "")
  // that an idle one works again shows when somebody wants a picture of it
  for (const { device } of faulty(world)) yield* ask("take_snapshot", { device })
  for (const device of [...names, `camera${names.length}`]) {
    yield* ask("stop_recording", { device }, [-32020, -32010])
    yield* ask("stop_streaming", { device }, [-32020, -32010])
  }
  world.life?.clients.pop()?.leave()
})

/** Until all is as desired, and all that is done again and again was done once more and changed nothing. */
const untilAtRest = Effect.fnUntraced(function* (world: World) {
  for (let periods = 0; periods < mostPeriods; periods++) {
    yield* within(longestLinger + 30, world, isIdle(world))
    yield* within(30, world, isHealthy(world))
    yield* within(10, world, agrees(world))
    yield* within(forgetsWithin, world, hasForgotten(world))
    const before = doneUntilNow(world)
    yield* Effect.sleep(period)
    if (doneUntilNow(world) === before) return
  }
  return yield* Effect.die(new Error(`all is well after the chaos: it does not come to rest`))
})

/**
 * Everything is put right, the service comes to rest, and so much time has passed since: hours go by at once, as for a
 * machine that is suspended now and then.
 */
export const quiet = Effect.fnUntraced(function* (world: World, millis: number, chance: () => number) {
  const end = world.passed() + millis
  yield* putRight(world)
  yield* nobodyWants(world)
  yield* untilAtRest(world)
  for (let left = end - world.passed(); left > 0; left = end - world.passed()) {
    const before = doneUntilNow(world)
    world.passOver(Math.min(left, hour * (1 + 7 * chance())))
    yield* Effect.sleep(begun)
    if (doneUntilNow(world) !== before) yield* untilAtRest(world)
  }
})
