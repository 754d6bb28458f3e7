import * as Effect from "effect/Effect"
import type { Client } from "./Client.ts"
import { agrees, isBack, within } from "./Looks.ts"
import { deviceOf, type World } from "./World.ts"

const devicesOf = (world: World) => world.cameras.map((camera) => deviceOf(world, camera) ?? "")

/** Asks, and waits for the answer: a result, or one of these errors. */
export const asker = (world: World, client: Client) =>
  Effect.fnUntraced(function* (
    method: string,
    params: Readonly<Record<string, unknown>>,
    allowed: ReadonlyArray<number> = []
  ) {
    client.call(method, params)
    yield* within(
      25,
      world,
      Effect.sync(() => (client.open.size === 0 ? undefined : `${method} is not answered`))
    )
    const { error, result } = client.last()
    if (error === undefined || allowed.includes(error.code)) return { error, result }
    return yield* Effect.die(
      new Error(`all is well after the chaos: ${method} ${JSON.stringify(params)} is answered ${JSON.stringify(error)}`)
    )
  })

/** Everything works again for somebody who comes now; what is rare in a day happens here each time. */
export const isServed = Effect.fnUntraced(function* (world: World) {
  const { disturb } = world.ground.ffmpeg
  yield* world.ground.mediaMtx.crash
  yield* within(30, world, isBack(world))
  const client = yield* world.connect()
  const ask = asker(world, client)
  const askAsViewer = asker(world, yield* world.connect({ role: "viewer" }))
  // in the network there is one more, which nobody need have added
  for (const device of [...devicesOf(world), `camera${world.cameras.length}`]) {
    yield* ask("stop_recording", { device }, [-32020, -32010])
  }
  for (const device of devicesOf(world)) {
    const { result: snapshot } = yield* ask("take_snapshot", { device })
    yield* ask("take_snapshot", { device })
    yield* askAsViewer("take_snapshot", { device }, [-32002])
    yield* ask("delete_snapshot", { filename: snapshot?.["filename"] })
    const { result } = yield* ask("start_recording", { device })
    yield* Effect.sleep("2 seconds")
    const { error } = yield* ask("delete_recording", { filename: result?.["filename"] }, [-32020])
    if (error === undefined) return yield* Effect.die(new Error("retention never takes what is held: it was deleted"))
    yield* ask("stop_recording", { device })
  }
  for (const device of devicesOf(world).slice(0, 1)) {
    // wanted again while its FFmpeg does not want to end
    yield* disturb(device, { stubborn: true })
    yield* ask("stop_streaming", { device }, [-32020])
    yield* ask("start_streaming", { device })
    client.call("stop_streaming", { device })
    yield* Effect.sleep("1 second")
    yield* ask("start_streaming", { device })
    yield* disturb(device, { stubborn: false })
    yield* ask("stop_streaming", { device })
  }
  // the disk that loses what is written has another one written, or the client is told
  yield* Effect.scoped(
    Effect.andThen(
      world.ground.disk.suffer({ name: "sync fails", at: "/.tmp-", times: 1 }),
      ask("create_api_key", { role: "viewer", expires_in_days: 1 }, [-32050])
    )
  )
})

/** What has just been done is done, and what was under way goes on. */
export const outlivesPowerCut = Effect.fnUntraced(function* (world: World) {
  const ask = asker(world, yield* world.connect())
  const [device = ""] = devicesOf(world)
  yield* ask("start_recording", { device })
  yield* world.kill("loses its power", 0)
  yield* within(120, world, isBack(world))
  const goesOn = Effect.map(world.ground.mediaMtx.options(device), (options) =>
    options?.["record"] === true ? undefined : `the recording of ${device} was acknowledged, and has not gone on`
  )
  yield* within(30, world, goesOn)
  yield* asker(world, yield* world.connect())("stop_recording", { device })
  yield* within(10, world, agrees(world))
})
