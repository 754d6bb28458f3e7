import * as Effect from "effect/Effect"
import type { World } from "./World.ts"

/** What may happen in a day. `pick` gives chance of its own: an action does the same whatever was left out before it. */
export interface Action {
  readonly weight: number
  readonly run: (world: World, chance: () => number) => Effect.Effect<void>
}

export const oneOf = <A>(all: ReadonlyArray<A>, chance: () => number): A | undefined =>
  all[Math.floor(chance() * all.length)]

const withClient = (
  world: World,
  chance: () => number,
  method: string,
  params: Readonly<Record<string, unknown>> = {}
) =>
  Effect.gen(function* () {
    if (world.life === undefined) return
    const there = world.life.clients.filter((client) => client.isConnected())
    const client = oneOf(there, chance) ?? (yield* world.connect)
    world.trace.note(client.name, `calls ${method} ${JSON.stringify(params)}`)
    client.call(method, params)
  })

const someDevice = (world: World, chance: () => number) =>
  `camera${Math.floor(chance() * (world.cameras.length + 0.1))}`

export const actions: Readonly<Record<string, Action>> = {
  unplug: {
    weight: 3,
    run: (world, chance) => oneOf(world.cameras, chance)?.played.unplug ?? Effect.void
  },
  plug: {
    weight: 5,
    run: (world, chance) => {
      const away = world.cameras.filter(({ played }) => played.path() === undefined)
      return oneOf(away, chance)?.played.replug() ?? Effect.void
    }
  },
  snapshot: {
    weight: 5,
    run: (world, chance) => withClient(world, chance, "take_snapshot", { device: someDevice(world, chance) })
  }
}
