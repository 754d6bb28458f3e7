import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import type { Role } from "../schema/Auth.ts"
import * as App from "../src/App.ts"
import { Tokens } from "../src/auth/Tokens.ts"
import { makeSettings, Settings } from "../src/config/Settings.ts"
import type { Device } from "../src/device/Device.ts"
import { Devices } from "../src/device/Devices.ts"
import { MediaMtx } from "../src/process/MediaMtx.ts"
import { Doors } from "./Doors.ts"
import { settle } from "./PassingTime.ts"
import { TestGround } from "./TestGround.ts"

/** A USB camera. What is done to it the service knows when the effect is over. */
export interface TestCamera {
  /** its name for clients, such as `camera0` */
  readonly device: string
  readonly unplug: Effect.Effect<void>
  readonly replug: Effect.Effect<void>
  /** it delivers nothing any more; whoever reads it notices that after 3 seconds of the service's time */
  readonly freeze: Effect.Effect<void>
  readonly thaw: Effect.Effect<void>
}

/** Settings as the configuration file has them, such as `{ recording: { resume_seconds: 5 } }`. */
export type TestSettings = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/**
 * The whole service in this process, for the tests of its clients: it needs no camera, FFmpeg or MediaMTX, writes to no
 * disk, and listens on free ports of 127.0.0.1, where any client reaches it. Its clock goes as the real one does, and
 * further when it is moved.
 */
export class TestService extends Context.Service<
  TestService,
  {
    /** JSON-RPC over WebSocket */
    readonly url: string
    /** downloads: what a `file_path` is relative to */
    readonly files: string
    /** `/health`, `/health/ready`, … */
    readonly health: string
    /** a token that is good for so long (an hour) of the service's time */
    readonly token: (role: Role, timeToLive?: Duration.Input) => Effect.Effect<Redacted.Redacted>
    /** plugs a camera in; one with the serial number of an earlier one is that camera */
    readonly plug: (camera: { readonly name: string; readonly serial?: string }) => Effect.Effect<TestCamera>
    /** moves the service's clock; what is due by then has happened when this is over */
    readonly move: (by: Duration.Input) => Effect.Effect<void>
  }
>()("camera-service/testing/TestService") {
  /** A service that lives as long as the scope. */
  static readonly make: (settings?: TestSettings) => Effect.Effect<TestService["Service"], never, Scope.Scope> =
    Effect.fnUntraced(function* (settings = {}) {
      const clock = yield* Layer.build(TestClock.layer())
      const ground = yield* Effect.provideContext(Layer.build(TestGround.layer), clock)
      const below = Context.merge(clock, ground)
      const onItsClock = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provideContext(effect, below)
      yield* onItsClock(TestClock.setTime(Date.now()))

      const turn = yield* Semaphore.make(1)
      const move = Effect.fnUntraced(function* (by: Duration.Input) {
        const millis = Duration.toMillis(by)
        const step = millis > longMove ? longStep : shortStep
        for (let left = millis; left > 0; left -= step) {
          yield* turn.withPermits(1)(onItsClock(Effect.andThen(TestClock.adjust(Math.min(step, left)), settle)))
        }
      })
      const asTimePasses = Effect.promise(() => new Promise<void>((resolve) => setTimeout(resolve, shortStep)))
      yield* Effect.forkScoped(Effect.forever(Effect.andThen(asTimePasses, move(shortStep))))

      const made = yield* Effect.orDie(makeSettings({ ...settings, data_dir: "/data" }))
      const service = yield* App.layer.pipe(
        Layer.provide(Layer.succeed(Settings, made)),
        Layer.provideMerge(Doors.layer),
        Layer.provideMerge(Layer.succeedContext(ground)),
        Layer.provideMerge(Logger.layer([])),
        Layer.build,
        Effect.orDie,
        onItsClock
      )
      const { cameras, ffmpeg } = Context.get(ground, TestGround)
      const { changes } = Context.get(service, Devices)
      const { portOf } = Context.get(service, Doors)
      const { sign } = Context.get(service, Tokens)

      const { state } = Context.get(service, MediaMtx)
      yield* SubscriptionRef.changes(state).pipe(
        Stream.filter(({ _tag }) => _tag === "Running"),
        Stream.runHead
      )

      const seen = (isIt: (device: Device) => boolean) =>
        changes.pipe(
          Stream.filter(isIt),
          Stream.runHead,
          Effect.flatMap(Effect.fromOption),
          Effect.orDie,
          Effect.provideContext(service)
        )

      const plug = Effect.fnUntraced(function* (spec: { readonly name: string; readonly serial?: string }) {
        const played = yield* cameras.plug(spec)
        const { id } = yield* seen(({ input, status }) => status === "CONNECTED" && input.node === played.path())
        const disturb = (frozen: boolean) => ffmpeg.disturb(id, { frozen })
        const camera: TestCamera = {
          device: id,
          unplug: Effect.andThen(
            played.unplug,
            Effect.asVoid(seen((device) => device.id === id && device.status === "DISCONNECTED"))
          ),
          replug: Effect.andThen(
            played.replug(),
            Effect.asVoid(seen((device) => device.id === id && device.status === "CONNECTED"))
          ),
          freeze: disturb(true),
          thaw: disturb(false)
        }
        return camera
      })

      const at = (port: number) => `127.0.0.1:${portOf(port)}`
      const { health, server } = made.boot
      return TestService.of({
        url: `ws://${at(server.port)}/ws`,
        files: `http://${at(server.port)}`,
        health: `http://${at(health.port)}`,
        token: (role, timeToLive = "1 hour") =>
          onItsClock(sign({ userId: `test-${role}`, role, timeToLive: Duration.fromInputUnsafe(timeToLive) })),
        plug,
        move
      })
    })

  static readonly layer = (settings?: TestSettings): Layer.Layer<TestService> =>
    Layer.effect(TestService, TestService.make(settings))
}

/** Milliseconds of the service's clock between two looks at what has come of it. */
const shortStep = 20
/** A clock that is moved by more than this goes in long steps. */
const longMove = 60_000
const longStep = 1000
