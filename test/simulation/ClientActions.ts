import * as Effect from "effect/Effect"
import type { Action } from "./Actions.ts"
import { admin, type Client, type Rights } from "./Client.ts"
import { oneOf, someName, type World } from "./World.ts"

type Params = Readonly<Record<string, unknown>>
type Chance = () => number

/** Who is there, or who comes. */
const someClient = (world: World, chance: Chance): Effect.Effect<Client | undefined> => {
  if (world.life === undefined) return Effect.undefined
  const there = world.life.clients.filter(
    // who may not do much calls now and then
    ({ isConnected, isReading, rights }) => isConnected() && isReading() && (rights === admin || chance() < 0.3)
  )
  return there.length === 0 ? world.connect() : Effect.succeed(oneOf(there, chance))
}

/** Somebody calls, who may or may not do that. */
export const call = Effect.fnUntraced(function* (world: World, chance: Chance, method: string, params: Params = {}) {
  const client = yield* someClient(world, chance)
  world.trace.note("call", `${client?.name} ${method} ${JSON.stringify(params)}`)
  client?.call(method, params)
})

const device = (world: World, chance: Chance) => ({ device: someName(world, chance) })

/** Often the newest, which may be in use. */
const filename = (world: World, chance: Chance, folder: "recordings" | "snapshots") => {
  const names = world.ground.disk.outside.names(`/data/${folder}`)
  return { filename: (chance() < 0.5 ? names.at(-1) : oneOf(names, chance)) ?? "camera0_of_nobody.mp4" }
}

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

/** Who may do all, who may not, and who may not see all either. */
const visitors: ReadonlyArray<Rights> = [
  admin,
  admin,
  { role: "operator" },
  { role: "viewer" },
  { role: "viewer", cameras: ["camera0"] },
  { role: "admin", cameras: ["camera1"] }
]

/** What no client sends that means well. */
const nonsense: ReadonlyArray<string> = [
  "",
  "{",
  "[]",
  "null",
  "[1,2]",
  '{"jsonrpc":"1.0","id":1,"method":"ping"}',
  '{"jsonrpc":"2.0","id":{},"method":"ping"}',
  '{"jsonrpc":"2.0","method":"start_recording","params":{"device":"camera0"}}',
  `{"jsonrpc":"2.0","id":1,"method":"${"x".repeat(2000)}"}`,
  `${"[".repeat(500)}${"]".repeat(500)}`,
  `[${Array.from({ length: 60 }, (_, id) => `{"jsonrpc":"2.0","id":${id},"method":"ping"}`).join()}]`
]

const formats = ["fmp4", "mpegts", "stanag4609", "mp4", "mkv"]

export const clientActions: Readonly<Record<string, Action>> = {
  "a client comes": {
    weight: 4,
    run: (world, chance) =>
      world.life === undefined ? Effect.void : Effect.asVoid(world.connect(oneOf(visitors, chance)))
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

  "a stream is wanted again as it ends": {
    weight: 3,
    run: Effect.fnUntraced(function* (world, chance) {
      const camera = device(world, chance)
      const { disturb } = world.ground.ffmpeg
      if (chance() < 0.7) yield* disturb(camera.device, { stubborn: true })
      yield* call(world, chance, "start_streaming", camera)
      yield* Effect.sleep("2 seconds")
      yield* call(world, chance, "stop_streaming", camera)
      yield* Effect.sleep(chance() * 1000)
      yield* call(world, chance, "start_streaming", camera)
      yield* disturb(camera.device, { stubborn: false })
    })
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

  "a client means harm": {
    weight: 2,
    run: Effect.fnUntraced(
      function* (world, chance) {
        if (world.life === undefined) return
        const visitor = yield* world.ground.visitors.connect(8002, { target: "/ws" })
        for (let i = 0; i < 20; i++) visitor.send(oneOf(nonsense, chance) ?? "")
        yield* Effect.sleep("1 second")
      },
      Effect.scoped,
      (harm) => Effect.ignore(harm)
    )
  },

  "a file is deleted": {
    weight: 5,
    run: (world, chance) =>
      chance() < 0.6
        ? call(world, chance, "delete_recording", filename(world, chance, "recordings"))
        : call(world, chance, "delete_snapshot", filename(world, chance, "snapshots"))
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
