import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Tokens } from "../../src/auth/Tokens.ts"
import type { Action } from "./Actions.ts"
import type { Client } from "./Client.ts"
import { oneOf, someName, type World } from "./World.ts"

type Params = Readonly<Record<string, unknown>>
type Chance = () => number

/** Who is there, or who comes. */
const someClient = (world: World, chance: Chance): Effect.Effect<Client | undefined> => {
  if (world.life === undefined) return Effect.undefined
  const there = world.life.clients.filter((client) => client.isConnected() && client.isReading())
  return there.length === 0 ? world.connect : Effect.succeed(oneOf(there, chance))
}

const call = Effect.fnUntraced(function* (world: World, chance: Chance, method: string, params: Params = {}) {
  const client = yield* someClient(world, chance)
  world.trace.note("call", `${client?.name} ${method} ${JSON.stringify(params)}`)
  client?.call(method, params)
})

const device = (world: World, chance: Chance) => ({ device: someName(world, chance) })

const filename = (world: World, chance: Chance, folder: "recordings" | "snapshots") => ({
  filename: oneOf(world.ground.disk.outside.names(`/data/${folder}`), chance) ?? "camera0_of_nobody.mp4"
})

/** Params that are good, and for each method some that are not. */
const methods: Readonly<Record<string, (world: World, chance: Chance) => Params>> = {
  ping: () => ({}),
  get_camera_list: () => ({}),
  get_camera_status: device,
  get_camera_capabilities: device,
  get_camera_controls: device,
  get_stream_url: device,
  get_stream_status: device,
  get_streams: () => ({}),
  list_recordings: () => ({}),
  list_snapshots: () => ({ limit: 5 }),
  get_recording_info: (world, chance) => filename(world, chance, "recordings"),
  get_snapshot_info: (world, chance) => filename(world, chance, "snapshots"),
  delete_recording: (world, chance) => filename(world, chance, "recordings"),
  delete_snapshot: (world, chance) => filename(world, chance, "snapshots"),
  get_storage_info: () => ({}),
  get_status: () => ({}),
  get_system_status: () => ({}),
  get_subscription_stats: () => ({}),
  subscribe_events: () => ({ topics: ["recording.*", "snapshot.taken", "camera.*"] }),
  unsubscribe_events: () => ({}),
  get_external_streams: () => ({}),
  refresh_token: () => ({}),
  start_streaming: device,
  stop_streaming: device,
  no_such_method: () => ({}),
  list_api_keys: () => ({}),
  create_api_key: () => ({ role: "viewer", expires_in_days: 1 })
}

const spoilt = (params: Params, chance: Chance): Params =>
  chance() < 0.9 ? params : { ...params, [chance() < 0.5 ? "device" : "surplus"]: "../etc" }

const formats = ["fmp4", "mpegts", "stanag4609", "mp4", "mkv"]

export const clientActions: Readonly<Record<string, Action>> = {
  "a client comes": {
    weight: 4,
    run: (world) => (world.life === undefined ? Effect.void : Effect.asVoid(world.connect))
  },

  "a client calls": {
    weight: 12,
    run: (world, chance) => {
      const [method = "", params = () => ({})] = oneOf(Object.entries(methods), chance) ?? []
      return call(world, chance, method, spoilt(params(world, chance), chance))
    }
  },

  "a client calls many": {
    weight: 2,
    run: Effect.fnUntraced(function* (world, chance) {
      for (let i = 0; i < 20; i++)
        yield* call(world, chance, chance() < 0.5 ? "take_snapshot" : "get_camera_status", device(world, chance))
    })
  },

  "a snapshot": {
    weight: 12,
    run: (world, chance) =>
      call(world, chance, "take_snapshot", {
        ...device(world, chance),
        ...(chance() < 0.3 ? { max_age_ms: 0 } : {}),
        ...(chance() < 0.2 ? { format: "png" } : {}),
        ...(chance() < 0.1 ? { filename: "mine.jpg", overwrite: chance() < 0.5 } : {})
      })
  },

  "a recording starts": {
    weight: 10,
    run: (world, chance) =>
      call(world, chance, "start_recording", {
        ...device(world, chance),
        ...(chance() < 0.5 ? { format: oneOf(formats, chance) } : {}),
        ...(chance() < 0.4 ? { duration: 1 + Math.floor(chance() * 60) } : {})
      })
  },

  "a recording is stopped": {
    weight: 8,
    run: (world, chance) => call(world, chance, "stop_recording", device(world, chance))
  },

  "a client reads no more": {
    weight: 2,
    run: (world, chance) => Effect.map(someClient(world, chance), (client) => client?.stopReading())
  },

  "clients read on": {
    weight: 2,
    run: (world) => Effect.sync(() => world.life?.clients.forEach((client) => client.readOn()))
  },

  "a client vanishes": {
    weight: 2,
    run: (world, chance) => Effect.map(someClient(world, chance), (client) => client?.vanish())
  },

  "a client leaves": {
    weight: 2,
    run: (world, chance) => Effect.map(someClient(world, chance), (client) => client?.leave())
  },

  "a viewer comes": {
    weight: 6,
    run: (world, chance) => comes(world, someName(world, chance))
  },

  "viewers go": {
    weight: 6,
    run: (world, chance) => go(world, someName(world, chance))
  },

  "somebody cleans up": { weight: 2, run: (world, chance) => call(world, chance, "cleanup_old_files") },

  "a retention policy": {
    weight: 1,
    run: (world, chance) =>
      call(world, chance, "set_retention_policy", {
        ...(chance() < 0.5 ? { policy_type: "age", max_age_days: 1 } : { policy_type: "size", max_size_gb: 0.0005 }),
        enabled: chance() < 0.7,
        ...(chance() < 0.4 ? device(world, chance) : {})
      })
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
  yield* Effect.gen(function* () {
    const { status } = yield* world.ground.visitors.ask(8003, {
      method: "POST",
      target: "/mediamtx/auth",
      body: JSON.stringify(question)
    })
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
