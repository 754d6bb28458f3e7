import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { Disk } from "../src/ground/Disk.ts"
import type { DiskError } from "../src/ground/DiskError.ts"
import { readMp4Header } from "../src/ground/Mp4File.ts"
import { Cameras } from "./Cameras.ts"
import { PlayedMediaMtx } from "./MediaMtx.ts"
import { type CameraFaults, conformantSps, sound, type WorkFault, type WorkFaults } from "./FfmpegFaults.ts"
import { cameraOf, fileIn, nodeOf, progress, tick, workOf } from "./FfmpegWork.ts"
import { MemoryDisk } from "./MemoryDisk.ts"
import { numbered, png } from "./Pictures.ts"
import { type Ending, type PlayedProcess, Programs } from "./Programs.ts"

const failed = (text: string): Ending => ({ code: 1, stderr: `[error] ${text}\n` })

/** Plays `ffmpeg` and `ffprobe`, by the arguments that they get, on the test's clock. */
export class PlayedFfmpeg extends Context.Service<
  PlayedFfmpeg,
  {
    /** by camera: its id; one whose node was never published is known by that */
    readonly cameras: SubscriptionRef.SubscriptionRef<ReadonlyMap<string, CameraFaults>>
    /** changes what is wrong with a camera */
    readonly disturb: (camera: string, faults: Partial<CameraFaults>) => Effect.Effect<void>
    readonly works: SubscriptionRef.SubscriptionRef<WorkFaults>
    /** changes what is wrong with the rest */
    readonly disturbWork: (faults: WorkFaults) => Effect.Effect<void>
    /** most publishers of one camera that ever lived at once */
    readonly mostAtOnce: () => number
  }
>()("camera-service/testing/PlayedFfmpeg") {
  static readonly layer = Layer.effect(
    PlayedFfmpeg,
    Effect.suspend(() => played)
  )
}

type Played = Effect.Effect<Ending, DiskError | { readonly status: number }, Scope.Scope>

const played = Effect.gen(function* () {
  const disk = yield* Disk
  const { outside } = yield* MemoryDisk
  const kernel = yield* Cameras
  const mediaMtx = yield* PlayedMediaMtx
  const programs = yield* Programs
  const cameras = yield* SubscriptionRef.make<ReadonlyMap<string, CameraFaults>>(new Map())
  const works = yield* SubscriptionRef.make<WorkFaults>({})
  const publishing = new Map<string, number>()
  /** which camera a node was read for last */
  const idOfNode = new Map<string, string>()
  let mostAtOnce = 0
  let number = 0

  const faultsOf = (camera: string) => Effect.map(SubscriptionRef.get(cameras), (all) => all.get(camera) ?? sound)
  const disturb = (camera: string, faults: Partial<CameraFaults>) =>
    SubscriptionRef.update(cameras, (all) => new Map(all).set(camera, { ...(all.get(camera) ?? sound), ...faults }))

  const knownAs = (args: ReadonlyArray<string>): string => {
    const camera = cameraOf(args)
    return idOfNode.get(camera) ?? camera
  }

  /** What FFmpeg says of a camera that cannot be read (any more). */
  const troubleOf = (args: ReadonlyArray<string>): Ending | undefined => {
    const node = nodeOf(args)
    if (node === undefined) return undefined
    const camera = kernel.at(node)
    if (camera === undefined) return failed(`[video4linux2,v4l2 @ 0x1] ${node}: No such device`)
    return camera.isBusy() ? failed(`[video4linux2,v4l2 @ 0x1] ${node}: Device or resource busy`) : undefined
  }

  const count = (camera: string, by: 1 | -1) =>
    Effect.sync(() => {
      const now = (publishing.get(camera) ?? 0) + by
      publishing.set(camera, now)
      mostAtOnce = Math.max(mostAtOnce, now)
    })

  const publish = Effect.fnUntraced(function* (process: PlayedProcess) {
    const { args } = process
    const [url = "", from] = args.filter((arg) => arg.startsWith("rtsp:")).toReversed()
    const camera = cameraOf(args)
    const node = nodeOf(args)
    if (node !== undefined) idOfNode.set(node, camera)
    yield* Effect.acquireRelease(count(camera, 1), () => count(camera, -1))
    const { complaint, failStarts, neverReady, sps } = yield* faultsOf(camera)
    if (failStarts > 0) {
      yield* disturb(camera, { failStarts: failStarts - 1 })
      return failed(complaint)
    }
    const { hardware } = yield* SubscriptionRef.get(works)
    if (hardware === "fails" && args.includes("-vaapi_device")) return failed("no free encoder")
    const trouble = troubleOf(args)
    if (trouble !== undefined) return trouble
    yield* Effect.sleep(tick)
    const isFed = from === undefined ? () => true : yield* mediaMtx.read({ pid: process.pid, url: from })
    if (neverReady) return yield* Effect.never
    const { frames } = yield* mediaMtx.publish({ pid: process.pid, url, sps })
    for (let count = 1; ; count++) {
      yield* Effect.sleep(tick)
      const { darkMillis, frozen, noPictures, sps } = yield* faultsOf(camera)
      if ((yield* SubscriptionRef.get(process.temper)) === "stopped") continue
      const trouble = troubleOf(args)
      if (trouble !== undefined) return trouble
      if (frozen) continue
      if (!isFed()) return { code: 0 }
      if (!(yield* frames(sps))) return failed("av_interleaved_write_frame(): Broken pipe")
      const isDark = (count - 2) * tick < darkMillis
      if (count % 2 === 0 && !noPictures) process.stdout(numbered(number++, isDark))
      if (count % 5 === 0) process.fd3(progress(count))
    }
  })

  const direct = Effect.fnUntraced(function* ({ args, stdout }: PlayedProcess) {
    yield* Effect.sleep(2 * tick)
    const { darkMillis, direct, frozen } = yield* faultsOf(knownAs(args))
    if (direct === "hangs" || frozen) return yield* Effect.never
    if (direct !== undefined) return failed(direct.error)
    const trouble = troubleOf(args)
    if (trouble !== undefined) return trouble
    for (let count = 0; ; count++) {
      stdout(numbered(number++, count * tick < darkMillis))
      if (args.includes("-frames:v")) return { code: 0 }
      yield* Effect.sleep(tick)
    }
  })

  const orFault = (fault: WorkFault | undefined, work: Played): Played => {
    if (fault === undefined) return work
    return fault === "hangs" ? Effect.never : Effect.succeed(failed(fault.error))
  }

  const remux = Effect.fnUntraced(function* ({ args }: PlayedProcess, writes: boolean) {
    const from = yield* disk.open(fileIn(args, 0))
    const bytes = yield* from.read(0, writes ? (yield* from.state).bytes : 0)
    // its first box is none of an MP4 file any more, and all others are what they were
    if (writes && args.includes("matroska")) bytes.set(new TextEncoder().encode("mkv "), 4)
    outside.write(fileIn(args, 1), bytes, 0)
    return { code: 0 }
  })

  const trial = Effect.fnUntraced(function* ({ stdout }: PlayedProcess) {
    yield* Effect.sleep(tick)
    if ((yield* SubscriptionRef.get(works)).hardware === undefined) return failed("there is no such hardware")
    stdout(Uint8Array.from(`\0\0\0\u0001${atob(conformantSps)}`, (character) => character.charCodeAt(0)))
    return { code: 0 }
  })

  const convert = ({ args, stdin, stdout }: PlayedProcess) =>
    Effect.map(stdin, (): Ending => {
      stdout(args.includes("png") ? png : numbered(number++))
      return { code: 0 }
    })

  const probe = Effect.fnUntraced(function* ({ args, stdout }: PlayedProcess) {
    const header = yield* readMp4Header(disk, fileIn(args, -1))
    const isEmpty = header === undefined && outside.read(fileIn(args, -1)).length === 0
    if (isEmpty) return failed("Invalid data found when processing input")
    // of what has no header FFmpeg finds out by its packets
    const { duration } = header ?? { duration: 1 }
    const reply = {
      streams: [{ codec_name: "h264", width: 640, height: 480 }],
      format: { duration: String(duration) }
    }
    stdout(new TextEncoder().encode(JSON.stringify(reply)))
    return { code: 0 }
  })

  const play = Effect.fnUntraced(function* (process: PlayedProcess) {
    const { args, program, temper } = process
    const faults = yield* SubscriptionRef.get(works)
    const camera = yield* faultsOf(knownAs(args))
    if (camera.stubborn) yield* SubscriptionRef.set(temper, "stubborn")
    switch (workOf(program, args)) {
      case "publish":
        return yield* publish(process)
      case "direct":
        return yield* direct(process)
      case "convert":
        return yield* orFault(faults.convert, convert(process))
      case "remux":
        return yield* faults.remux === "writes nothing"
          ? remux(process, false)
          : orFault(faults.remux, remux(process, true))
      case "probe":
        return yield* orFault(faults.probe, probe(process))
      case "trial":
        return yield* trial(process)
      case "export": {
        const write = Effect.sync(() => process.stdout(new TextEncoder().encode("an MP4")))
        yield* write
        if (faults.export === "pours") return yield* Effect.forever(Effect.andThen(Effect.sleep(tick), write))
        return yield* orFault(faults.export, Effect.succeed({ code: 0 }))
      }
      case "other":
        return { code: 0 }
    }
  })
  const playing = (process: PlayedProcess) =>
    play(process).pipe(
      Effect.catch((error) =>
        Effect.succeed(failed("status" in error ? `Server returned ${error.status}` : `errno ${error.code}`))
      )
    )
  programs.play("ffmpeg", playing)
  programs.play("ffprobe", playing)

  return PlayedFfmpeg.of({
    cameras,
    disturb,
    works,
    disturbWork: (faults) => SubscriptionRef.update(works, (all) => ({ ...all, ...faults })),
    mostAtOnce: () => mostAtOnce
  })
})
