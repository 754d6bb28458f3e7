import * as Effect from "effect/Effect"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { agrees, forgetsWithin, hasForgotten, isBack, isHealthy, isIdle, within } from "./Looks.ts"
import { isServed, outlivesPowerCut } from "./Served.ts"
import { longestLinger, settings, type World } from "./World.ts"

/** Nothing is wrong with the machine any more, and nobody watches. */
export const putRight = Effect.fnUntraced(function* (world: World) {
  world.trace.note("chaos", "is over")
  world.spare()
  for (const over of world.suffering.values()) yield* over
  world.suffering.clear()
  for (const path of world.readers.keys()) yield* world.ground.mediaMtx.setReaders(path, 0)
  world.readers.clear()
  for (const { played } of world.cameras) if (played.path() === undefined) yield* played.replug()
  if (world.life === undefined) yield* world.boot
  if (world.life !== undefined)
    yield* SubscriptionRef.set(world.life.settings.live, yield* SubscriptionRef.get(settings().live))
  for (const client of world.life?.clients ?? []) client.readOn()
})

/** The chaos stops: each thing is as desired within its time, in simulated seconds. */
export const calm = Effect.fnUntraced(function* (world: World) {
  yield* putRight(world)
  yield* within(120, world, isBack(world))
  yield* isServed(world)
  yield* within(30, world, isHealthy(world))
  yield* within(longestLinger + 30, world, isIdle(world))
  yield* within(10, world, agrees(world))
  yield* within(forgetsWithin, world, hasForgotten(world))
  yield* outlivesPowerCut(world)
  yield* world.shutDown
})
