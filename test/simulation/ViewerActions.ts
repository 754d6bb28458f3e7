import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Tokens } from "../../src/auth/Tokens.ts"
import { asMediaMtx } from "../support/MediaMtxQuestion.ts"
import type { Action } from "./Actions.ts"
import { someName, type World } from "./World.ts"

export const viewerActions: Readonly<Record<string, Action>> = {
  "a viewer comes": {
    weight: 6,
    run: (world, chance) => comes(world, someName(world, chance))
  },

  "viewers go": {
    weight: 6,
    run: (world, chance) => go(world, someName(world, chance))
  }
}

/** As MediaMTX does with a reader: it asks first, and shows the reader once there is a stream. */
const comes = Effect.fnUntraced(function* (world: World, path: string) {
  if (world.life === undefined) return
  const { sign } = Context.get(world.life.nouns, Tokens)
  const token = yield* sign({ userId: "viewer", role: "viewer", timeToLive: Duration.hours(1) })
  const question = {
    user: "",
    password: "",
    token: Redacted.value(token),
    action: "read",
    path,
    query: "",
    ip: "127.0.0.1",
    protocol: "webrtc",
    id: null
  }
  const asked = Effect.provideContext(asMediaMtx(JSON.stringify(question)), world.life.nouns)
  yield* Effect.gen(function* () {
    const { status } = yield* world.ground.visitors.ask(8003, yield* asked)
    world.trace.note("viewer", `${path} ${status}`)
    if (status !== 200) return
    world.viewed.set(path, world.passed())
    const readers = (world.readers.get(path) ?? 0) + 1
    world.readers.set(path, readers)
    yield* world.ground.mediaMtx.setReaders(path, readers)
  }).pipe(Effect.scoped, Effect.ignore)
})

const go = (world: World, path: string) =>
  Effect.suspend(() => {
    world.readers.delete(path)
    world.viewed.set(path, world.passed())
    return world.ground.mediaMtx.setReaders(path, 0)
  })
