import { it } from "@effect/vitest"
import { layerWebCrypto } from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { recordings, snapshots, streams } from "../../src/App.ts"
import { Tickets } from "../../src/auth/Tickets.ts"
import { Tokens } from "../../src/auth/Tokens.ts"
import { Settings } from "../../src/config/Settings.ts"
import { CameraNames } from "../../src/device/CameraNames.ts"
import { syntheticInput } from "../../src/device/SyntheticInput.ts"
import { Holders } from "../../src/device/v4l2/Holders.ts"
import { Devices } from "../../src/device/Devices.ts"
import { Databases } from "../../src/ground/Databases.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { Loopback } from "../../src/ground/Loopback.ts"
import { KernelFiles } from "../../src/ground/KernelFiles.ts"
import { Network } from "../../src/ground/Network.ts"
import { LocalHttp } from "../../src/http/LocalHttp.ts"
import * as MediaMtxAuth from "../../src/http/MediaMtxAuth.ts"
import { Ffmpeg } from "../../src/process/Ffmpeg.ts"
import { MediaMtxKey } from "../../src/process/MediaMtxKey.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { Files } from "../../src/storage/Files.ts"
import { Holds } from "../../src/storage/Holds.ts"
import { SmallFiles } from "../../src/storage/SmallFiles.ts"
import { found } from "../device/InMemory.ts"
import { temporaryFolder } from "../storage/Workbench.ts"
import { DiskFaults, faultyDisk, soundDisk } from "./FaultyDisk.ts"
import { fakeGround, realGround } from "./Ground.ts"
import { settingsOnFreePorts } from "./TestSettings.ts"

type Overrides = NonNullable<Parameters<typeof settingsOnFreePorts>[0]>

/** Who has a camera open that is busy. */
const onlyObs = Layer.succeed(Holders, Holders.of({ of: () => Effect.succeed([{ pid: 812, program: "obs" }]) }))

/** The test's own, where it has one. */
const kernelFiles = Layer.unwrap(
  Effect.map(
    Effect.serviceOption(KernelFiles),
    Option.match({ onNone: () => KernelFiles.layer, onSome: (given) => Layer.succeed(KernelFiles, given) })
  )
)

/** The service from its devices up to its nouns, on whatever is on the ground; put together as `src/App.ts` does. */
const house = Layer.mergeAll(snapshots, recordings, MediaMtxAuth.layer).pipe(
  Layer.provideMerge(streams),
  Layer.provide([onlyObs, kernelFiles]),
  Layer.provideMerge(Devices.layer),
  Layer.provide(CameraNames.layer),
  Layer.provideMerge(Files.layer),
  Layer.provideMerge(Layer.mergeAll(FileIndex.layer, Holds.layer)),
  Layer.provideMerge(Ffmpeg.layer)
)
/** What the ground needs, too. */
const cellar = Layer.mergeAll(
  Tokens.layer.pipe(Layer.provideMerge(DataFolder.layer)),
  Tickets.layer,
  MediaMtxKey.layer,
  LocalHttp.layer.pipe(Layer.provide(Network.layer))
).pipe(Layer.provideMerge(SmallFiles.layer), Layer.provideMerge([Databases.layer, Loopback.layer, layerWebCrypto]))

const settingsIn = (folder: string, overrides: Overrides) =>
  Layer.effect(Settings, settingsOnFreePorts({ ...overrides, data_dir: folder }))

const fakeApp = (settings: Layer.Layer<Settings>, faults: DiskFaults["Service"]) =>
  house.pipe(
    Layer.provideMerge(fakeGround),
    Layer.provideMerge(cellar),
    Layer.provideMerge(faultyDisk.pipe(Layer.provideMerge(Layer.succeed(DiskFaults, faults)))),
    Layer.provideMerge(settings)
  )
const realApp = (settings: Layer.Layer<Settings>) =>
  house.pipe(
    Layer.provideMerge(realGround),
    Layer.provideMerge(cellar),
    Layer.provideMerge(Disk.layer),
    Layer.provideMerge(settings),
    Layer.provide(Logger.layer([]))
  )

export type RealApp = Layer.Success<ReturnType<typeof realApp>>
export type FakeApp = Layer.Success<ReturnType<typeof fakeApp>>

/** Runs something on an app in this folder, from the app's start to its end. */
export type RunIn<App> = <A, E>(
  folder: string,
  body: Effect.Effect<A, E, App | Scope.Scope>,
  overrides?: Overrides
) => Effect.Effect<A, E>

/** Where a suite runs: over fakes on the test's clock, or over the real programs. */
export interface Place<App> {
  /** declares a test on an app of its own, in a data folder of its own */
  readonly test: <E>(name: string, body: Effect.Effect<void, E, App | Scope.Scope>, overrides?: Overrides) => void
  /** declares a test that starts and ends apps itself */
  readonly starts: <E>(name: string, body: (run: RunIn<App>, folder: string) => Effect.Effect<void, E>) => void
}

export const runFake = <A, E>(
  folder: string,
  body: Effect.Effect<A, E, FakeApp | Scope.Scope>,
  overrides: Overrides = {},
  faults = soundDisk()
): Effect.Effect<A, E> =>
  Effect.provide(Effect.scoped(body), Layer.orDie(fakeApp(settingsIn(folder, overrides), faults)))
export const runReal: RunIn<RealApp> = (folder, body, overrides = {}) =>
  Effect.provide(Effect.scoped(body), Layer.orDie(realApp(settingsIn(folder, overrides))))

const place = <App>(
  declare: (name: string, body: () => Effect.Effect<void, unknown, Scope.Scope>) => void,
  run: RunIn<App>
): Place<App> => ({
  test: (name, body, overrides) =>
    declare(name, () => Effect.flatMap(temporaryFolder, (folder) => run(folder, body, overrides))),
  starts: (name, body) => declare(name, () => Effect.flatMap(temporaryFolder, (folder) => body(run, folder)))
})

export const fakes = place<FakeApp>((name, body) => it.effect(name, body), runFake)
export const onFakes = fakes.test

export const realPrograms = place<RealApp>((name, body) => it.live(name, body, 60_000), runReal)

/** A USB camera that delivers JPEG frames; only the fake FFmpeg can read it. */
export const plugInUsb = Effect.fnUntraced(function* (...pixelFormats: ReadonlyArray<string>) {
  const devices = yield* Devices
  const sizes = [{ width: 640, height: 480, rates: [30] }]
  const formats = (pixelFormats.length === 0 ? ["MJPG"] : pixelFormats).map((pixelFormat) => ({ pixelFormat, sizes }))
  const { id } = yield* devices.attach(found("usb:1", { formats }))
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
