import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as App from "../../src/App.ts"
import { Settings } from "../../src/config/Settings.ts"
import { syntheticInput } from "../../src/device/SyntheticInput.ts"
import { Devices } from "../../src/device/Devices.ts"
import { MediaMtx } from "../../src/process/MediaMtx.ts"
import { workOf } from "../../testing/FfmpegWork.ts"
import type { CameraFaults, WorkFaults } from "../../testing/FfmpegFaults.ts"
import { asTimePasses } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { temporaryFolder } from "../storage/Workbench.ts"
import { realGround, testGround, until } from "./Ground.ts"
import { type Overrides, settingsOnFreePorts, testSettings } from "./TestSettings.ts"

type Fakes = Layer.Success<typeof testGround>
type Reals = Layer.Success<typeof realGround>
type Service = Layer.Success<typeof App.layer> | Settings
export type FakeApp = Service | Fakes
export type RealApp = Service | Reals

/** Runs something on an app in this folder, from the app's start to its end. */
export type RunIn<App, Below = never> = <A, E>(
  folder: string,
  body: Effect.Effect<A, E, App | Scope.Scope>,
  overrides?: Overrides
) => Effect.Effect<A, E, Below>

/** Where a suite runs: on the test ground and its clock, or over the real programs. */
export interface Place<App> {
  /** declares a test on an app of its own, in a data folder of its own */
  readonly test: <E>(name: string, body: Effect.Effect<void, E, App | Scope.Scope>, overrides?: Overrides) => void
  /** declares a test that starts and ends apps itself */
  readonly starts: <E>(name: string, body: (run: RunIn<App>, folder: string) => Effect.Effect<void, E>) => void
}

/** The whole service with these settings, on the ground that is there. */
const service = (settings: Settings["Service"]) =>
  Layer.orDie(App.layer).pipe(Layer.provideMerge(Layer.succeed(Settings, settings)))

const mediaMtxRuns = until(
  "MediaMTX",
  Effect.flatMap(MediaMtx, ({ state }) => Effect.map(SubscriptionRef.get(state), ({ _tag }) => _tag === "Running"))
)

/** Runs something on an app on the test ground that is there, once its MediaMTX is; time passes while it ends. */
export const runFake: RunIn<FakeApp, Fakes> = Effect.fnUntraced(function* (folder, body, overrides = {}) {
  const settings = testSettings({ ...overrides, data_dir: folder })
  const life = yield* Scope.make()
  const app = yield* Layer.build(service(settings)).pipe(Scope.provide(life))
  return yield* Effect.scoped(Effect.andThen(mediaMtxRuns, body)).pipe(
    Effect.provideContext(app),
    Effect.onExit((exit) => asTimePasses(Scope.close(life, exit)))
  )
})

export const onTestGround = <A, E>(body: Effect.Effect<A, E, Fakes>): Effect.Effect<A, E> =>
  Effect.provide(body, testGround)

export const runReal: RunIn<RealApp> = (folder, body, overrides = {}) =>
  Effect.gen(function* () {
    const cameras = { v4l2: false, ...(typeof overrides.cameras === "object" ? overrides.cameras : {}) }
    const settings = yield* settingsOnFreePorts({ ...overrides, cameras, data_dir: folder })
    return yield* Effect.provide(Effect.scoped(body), service(settings))
  }).pipe(Effect.provide(realGround.pipe(Layer.provideMerge(Logger.layer([])))))

/** The folder that the service has on the test ground. */
export const dataFolder = "/data"

export const fakes: Place<FakeApp> = {
  test: (name, body, overrides) => it.effect(name, () => onTestGround(runFake(dataFolder, body, overrides))),
  starts: (name, body) =>
    it.effect(name, () =>
      Effect.flatMap(Effect.context<Fakes>(), (ground) =>
        body((folder, inApp, overrides) => Effect.provideContext(runFake(folder, inApp, overrides), ground), dataFolder)
      ).pipe(onTestGround)
    )
}
export const onFakes = fakes.test

export const realPrograms: Place<RealApp> = {
  test: (name, body, overrides) =>
    it.live(name, () => Effect.flatMap(temporaryFolder, (folder) => runReal(folder, body, overrides)), 120_000),
  starts: (name, body) =>
    it.live(name, () => Effect.flatMap(temporaryFolder, (folder) => body(runReal, folder)), 120_000)
}

/** A USB camera that delivers JPEG frames, or these; it is pulled out when the scope ends. */
export const plugInUsb = Effect.fnUntraced(function* (...pixelFormats: ReadonlyArray<string>) {
  const { cameras } = yield* TestGround
  const devices = yield* Devices
  const formats = (pixelFormats.length === 0 ? ["MJPG"] : pixelFormats).map(
    (fourcc) => ({ fourcc, sizes: [[640, 480]], intervals: [[1, 30]] }) as const
  )
  const plugged = cameras.plug({ name: "UVC Camera", port: "1-1", formats })
  yield* Effect.acquireRelease(plugged, ({ unplug }) => unplug)
  const { id } = yield* until(
    "the camera",
    Effect.sync(() => devices.list().find(({ input, status }) => input.name === "v4l2" && status === "CONNECTED"))
  )
  return id
})

/** A camera (a test pattern, where FFmpeg is a real one) that stays until the scope ends. */
export const plugIn = Effect.fnUntraced(function* (number = 0) {
  const devices = yield* Devices
  const { id } = yield* devices.attach({
    input: syntheticInput(number),
    identity: { position: `synthetic:${number}` },
    name: `Synthetic camera ${number}`,
    formats: [{ pixelFormat: "RAW", sizes: [{ width: 640, height: 480, rates: [25] }] }]
  })
  return id
})

/** Changes what is wrong with the only camera. */
export const disturb = (faults: Partial<CameraFaults>) =>
  Effect.flatMap(TestGround, ({ ffmpeg }) => ffmpeg.disturb("camera0", faults))

/** Changes what is wrong with the rest of FFmpeg's work. */
export const disturbWork = (faults: WorkFaults) =>
  Effect.flatMap(TestGround, ({ ffmpeg }) => ffmpeg.disturbWork(faults))

/** MediaMTX is killed, and what is started in its place does nothing until `bringMediaMtx`. */
export const takeMediaMtx = Effect.gen(function* () {
  const { mediaMtx } = yield* TestGround
  const { state } = yield* MediaMtx
  yield* mediaMtx.disturb({ idles: true })
  yield* mediaMtx.crash
  yield* until(
    "it is known to be away",
    Effect.map(SubscriptionRef.get(state), ({ _tag }) => _tag !== "Running")
  )
})

export const bringMediaMtx = Effect.flatMap(TestGround, ({ mediaMtx }) => mediaMtx.disturb({ idles: false }))

/** The FFmpegs of the test ground that publish now. */
export const publishing = Effect.map(TestGround, ({ programs }) =>
  SubscriptionRef.getUnsafe(programs.processes).filter(
    ({ args, isRunning, program }) => isRunning() && workOf(program, args) === "publish"
  )
)
