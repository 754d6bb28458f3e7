import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { MediaMtx, type MediaMtxState } from "../../src/process/MediaMtx.ts"
import {
  MediaMtxApi,
  MediaMtxRefused,
  MediaMtxUnavailable,
  type PathOptions,
  type PathState
} from "../../src/process/MediaMtxApi.ts"

interface Live {
  ready: boolean
  readers: number
}

/** A duration of zero comes back as an empty text (conf/duration.go). */
const shown = (options: PathOptions): PathOptions =>
  Object.fromEntries(Object.entries(options).map(([key, value]) => [key, value === "0s" ? "" : value]))

/**
 * MediaMTX in memory, as far as its API shows it: what it forgets at a restart, what it refuses, and how a refused PATCH
 * poisons it. `test/support/MediaMtxApiBehaviour.ts` holds it to the real one.
 */
export class FakeMediaMtxApi extends Context.Service<
  FakeMediaMtxApi,
  {
    /** Somebody publishes to the path, or stops. */
    readonly setReady: (name: string, ready: boolean) => Effect.Effect<void>
    readonly setReaders: (name: string, readers: number) => Effect.Effect<void>
    /** It crashes and comes back with no paths: `MediaMtx.state` goes through Stopped to Running, a generation on. */
    readonly restart: Effect.Effect<void>
    /** Until it is set again, it answers (true) or doesn't (false): `MediaMtxUnavailable`, and `MediaMtx.state` Stopped. */
    readonly setAvailable: (available: boolean) => Effect.Effect<void>
    /** It runs, and until it is set again its API answers or doesn't. */
    readonly setAnswering: (answers: boolean) => Effect.Effect<void>
    /** The next call that adds, replaces or patches is refused with 400. A refused patch poisons it. */
    readonly refuseNext: Effect.Effect<void>
    /** What is configured, by name. */
    readonly configs: Effect.Effect<ReadonlyMap<string, PathOptions>>
    /** The calls that changed something or tried to, in order: `patch camera0`. */
    readonly calls: Effect.Effect<ReadonlyArray<string>>
  }
>()("camera-service/test/FakeMediaMtxApi") {
  static readonly layer: Layer.Layer<FakeMediaMtxApi | MediaMtxApi | MediaMtx> = Layer.effectContext(
    Effect.gen(function* () {
      const state = yield* SubscriptionRef.make<MediaMtxState>({ _tag: "Running", generation: 1 })
      const configs = new Map<string, PathOptions>()
      const live = new Map<string, Live>()
      const calls: Array<string> = []
      let refusals = 0
      let poison: string | undefined
      let available = true
      let answers = true
      let started = 0

      const answering = Effect.suspend(() =>
        available && answers ? Effect.void : Effect.fail(new MediaMtxUnavailable({ detail: "connect ECONNREFUSED" }))
      )
      const refused = (status: number, detail: string) => Effect.fail(new MediaMtxRefused({ status, detail }))
      const invalid = (options: PathOptions) => options["source"] === "publisher" && options["sourceOnDemand"] === true

      const change = (action: "add" | "replace" | "patch", name: string, given: PathOptions) =>
        Effect.gen(function* () {
          yield* answering
          calls.push(`${action} ${name}`)
          const present = configs.get(name)
          if (action === "add" && present !== undefined) return yield* refused(400, "path already exists")
          if (action === "patch" && present === undefined) return yield* refused(404, "path not found")
          const options = action === "patch" ? { ...present, ...given } : { source: "publisher", ...given }
          if (refusals > 0 || invalid(options)) {
            refusals = Math.max(0, refusals - 1)
            if (action === "patch") poison = name
            return yield* refused(400, "invalid configuration")
          }
          if (poison === name && action === "replace") poison = undefined
          if (poison !== undefined) return yield* refused(400, "invalid configuration")
          configs.set(name, options)
          if (!live.has(name)) live.set(name, { ready: false, readers: 0 })
        })

      const stateOf = (name: string, { readers, ready }: Live): PathState => ({
        name,
        ready,
        readers,
        bytesReceived: 0,
        bytesSent: 0
      })

      const api = MediaMtxApi.of({
        listPathConfigs: Effect.map(answering, () =>
          [...configs].map(([name, options]) => ({ name, options: shown(options) }))
        ),
        addPath: (name, options) => change("add", name, options),
        replacePath: (name, options) => change("replace", name, options),
        patchPath: (name, options) => change("patch", name, options),
        deletePath: (name) =>
          Effect.map(answering, () => {
            calls.push(`delete ${name}`)
            configs.delete(name)
            live.delete(name)
            if (poison === name) poison = undefined
          }),
        listPaths: Effect.map(answering, () => [...live].map(([name, path]) => stateOf(name, path))),
        getPath: (name) =>
          Effect.map(answering, () =>
            Option.map(Option.fromUndefinedOr(live.get(name)), (path) => stateOf(name, path))
          ),
        info: Effect.map(answering, () => ({ version: "v1.20.1", started: String(started) })),
        global: Effect.as(answering, {}),
        pathDefaults: Effect.as(answering, {}),
        rtspClient: () => refused(404, "session not found")
      })

      const set = (name: string, what: Partial<Live>) =>
        Effect.sync(() => {
          live.set(name, { ...(live.get(name) ?? { ready: false, readers: 0 }), ...what })
        })
      const stop = SubscriptionRef.update(state, ({ generation }): MediaMtxState => ({
        _tag: "Stopped",
        generation,
        detail: "it was killed"
      }))
      const start = SubscriptionRef.update(state, ({ generation }): MediaMtxState => ({
        _tag: "Running",
        generation: generation + 1
      }))
      const forget = Effect.sync(() => {
        started++
        poison = undefined
        configs.clear()
        live.clear()
      })

      const fake = FakeMediaMtxApi.of({
        setReady: (name, ready) => set(name, { ready }),
        setReaders: (name, readers) => set(name, { readers }),
        restart: stop.pipe(Effect.andThen(forget), Effect.andThen(start)),
        setAvailable: (now) =>
          Effect.suspend(() => {
            if (now === available) return Effect.void
            available = now
            return now ? start : Effect.andThen(forget, stop)
          }),
        setAnswering: (now) =>
          Effect.sync(() => {
            answers = now
          }),
        refuseNext: Effect.sync(() => {
          refusals++
        }),
        configs: Effect.sync(() => new Map(configs)),
        calls: Effect.sync(() => [...calls])
      })

      return Context.make(FakeMediaMtxApi, fake).pipe(
        Context.add(MediaMtxApi, api),
        Context.add(MediaMtx, { state, fatal: Effect.never })
      )
    })
  )
}
