import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { copyFileSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Tickets } from "../../src/auth/Tickets.ts"
import { splitter } from "../../src/media/Jpeg.ts"
import { MediaMtx } from "../../src/process/MediaMtx.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { readMp4Header } from "../../src/process/Mp4File.ts"
import { monotonicMillis, now } from "../../src/ground/Time.ts"
import { DiskFaults } from "./FaultyDisk.ts"
import { FakeMediaMtxApi } from "./FakeMediaMtxApi.ts"
import { makeRecorder } from "./FakeRecorder.ts"

const fixture = (name: string) => readFileSync(join(import.meta.dirname, "../fixtures", name))

/** 64 × 48, made by FFmpeg. */
const pictures = splitter().push(fixture("four-pictures.mjpeg"))
const dark = fixture("dark.jpg")
const png = fixture("picture.png")

/** As x264 writes it: 640 × 480, constrained baseline 3.0. */
export const conformantSps = "Z0LAHtoCgPbARAAAAwAEAAADAPI8WLqA"

/** What a program wrote and how it ended: by itself, or by a signal. */
export interface Ending {
  readonly code?: number
  readonly signal?: string
  readonly stderr?: string
}

export type Work = "publish" | "direct" | "convert" | "remux" | "probe" | "trial" | "other"

/** A process that is none, as the one who plays it sees it. */
export interface FakeChild {
  readonly pid: number
  readonly work: Work
  readonly program: string
  readonly args: ReadonlyArray<string>
  running: boolean
  /** stopped (SIGSTOP): it writes nothing more, and only SIGKILL ends it */
  frozen: boolean
  /** only SIGKILL ends it */
  stubborn: boolean
  readonly stdout: (bytes: Uint8Array) => void
  readonly fd3: (text: string) => void
  readonly stderr: (text: string) => void
  readonly end: (ending: Ending) => void
}

/** What goes wrong; a test sets it. */
export interface Faults {
  /** so many publishers end at once with an error: `complaint`, or one of our own */
  failStarts: number
  complaint?: string
  /** so many publishers make the one who starts them die of a defect */
  defects: number
  /** publishers start and never reach MediaMTX */
  neverReady: boolean
  /** publishers write no picture */
  noPictures: boolean
  /** so many milliseconds from the first one the pictures of a start are dark */
  darkMillis: number
  /** why direct captures fail */
  direct?: string
  /** direct captures come to no end */
  directHangs: boolean
  /** an encoder of the hardware's passes its trial, and after it fails with every camera or with none */
  hardware?: "works" | "fails"
  remux?: string
  /** a remux that starts now comes to no end */
  remuxHangs: boolean
  convert?: string
  /** a picture that is encoded anew from now on never is */
  convertHangs: boolean
  /** what starts from now on ignores SIGTERM */
  stubborn: boolean
}

const tick = 100

export const workOf = (program: string, args: ReadonlyArray<string>): Work => {
  if (program === "ffprobe") return "probe"
  if (program !== "ffmpeg") return "other"
  if (args.includes("rtsp")) return "publish"
  if (args.includes("pipe:0")) return "convert"
  if (args.at(-2) === "h264") return "trial"
  return args.includes("image2pipe") ? "direct" : "remux"
}

const fileIn = (args: ReadonlyArray<string>, which: number) =>
  (args.filter((arg) => arg.startsWith("file:")).at(which) ?? "").slice("file:".length)

/** A picture like no other: its number stands in a comment behind the start of the image. */
const numbered = (number: number, isDark = false): Buffer => {
  const jpeg = isDark ? dark : (pictures[number % pictures.length] ?? Buffer.alloc(0))
  const text = Buffer.from(`picture ${number}`)
  const comment = Buffer.concat([Buffer.from([0xff, 0xfe, 0, text.length + 2]), text])
  return Buffer.concat([jpeg.subarray(0, 2), comment, jpeg.subarray(2)])
}

const error = (text: string): Ending => ({ code: 1, stderr: `[error] ${text}\n` })

/** Plays FFmpeg and ffprobe, by the arguments that they get, on the test's clock. */
export class FakeFfmpeg extends Context.Service<
  FakeFfmpeg,
  {
    readonly faults: Faults
    /** all that were started, oldest first */
    readonly children: Array<FakeChild>
    /** most publishers of one camera that ever lived at once */
    readonly mostAtOnce: () => number
    readonly play: (child: FakeChild) => Effect.Effect<Ending>
    /** MediaMTX got new options for a path: a recorder that is switched off closes its file at once, as the real one does */
    readonly reconfigured: (camera: string) => Effect.Effect<void>
  }
>()("camera-service/test/FakeFfmpeg") {
  static readonly layer = Layer.effect(
    FakeFfmpeg,
    Effect.gen(function* () {
      const mtx = yield* FakeMediaMtxApi
      const disk = yield* DiskFaults
      const realDisk = yield* Disk
      const mediaMtx = yield* MediaMtx
      const tickets = yield* Tickets
      const faults: Faults = {
        failStarts: 0,
        defects: 0,
        neverReady: false,
        noPictures: false,
        darkMillis: 0,
        directHangs: false,
        remuxHangs: false,
        convertHangs: false,
        stubborn: false
      }
      const children: Array<FakeChild> = []
      const publishing = new Map<string, number>()
      const recorders = new Map<string, ReturnType<typeof makeRecorder>>()
      let mostAtOnce = 0
      let number = 0
      const generation = () => SubscriptionRef.getUnsafe(mediaMtx.state).generation

      const publishTo = (child: FakeChild, camera: string) =>
        Effect.gen(function* () {
          const recorder = makeRecorder(camera, disk)
          recorders.set(camera, recorder)
          const startedIn = generation()
          yield* Effect.acquireRelease(mtx.setReady(camera, true), () =>
            Effect.gen(function* () {
              // a MediaMTX that was killed closes no file
              if (generation() === startedIn) recorder.close(yield* monotonicMillis)
              if ((yield* mtx.configs).has(camera)) yield* mtx.setReady(camera, false)
            })
          )
          for (let count = 1; ; count++) {
            yield* Effect.sleep(tick)
            if (generation() !== startedIn) return error("av_interleaved_write_frame(): Broken pipe")
            const options = (yield* mtx.configs).get(camera)
            if (options === undefined) return error("av_interleaved_write_frame(): Broken pipe")
            if (child.frozen) continue
            recorder.look(options, yield* now)
            const isDark = (count - 2) * tick < faults.darkMillis
            if (count % 2 === 0 && !faults.noPictures) child.stdout(numbered(number++, isDark))
            if (count % 5 === 0) child.fd3(progress(count))
          }
        }).pipe(Effect.scoped)

      const publish = Effect.fnUntraced(function* (child: FakeChild) {
        const [, camera = "", password = ""] =
          /^rtsp:\/\/[^/]+\/(.+)\?token=(.+)$/.exec(child.args.find((arg) => arg.startsWith("rtsp:")) ?? "") ?? []
        publishing.set(camera, (publishing.get(camera) ?? 0) + 1)
        mostAtOnce = Math.max(mostAtOnce, publishing.get(camera) ?? 0)
        yield* Effect.addFinalizer(() => Effect.sync(() => publishing.set(camera, (publishing.get(camera) ?? 0) - 1)))
        if (faults.failStarts > 0) {
          faults.failStarts--
          return error(faults.complaint ?? "the camera is broken")
        }
        if (faults.hardware === "fails" && child.args.includes("-vaapi_device")) return error("no free encoder")
        yield* Effect.sleep(tick)
        if (faults.neverReady) return yield* Effect.never
        if (!(yield* mtx.configs).has(camera)) return error("Server returned 404 Not Found")
        const ticket = tickets.find(camera, "publish", password)
        if (ticket?.holder() !== child.pid || !ticket.redeem()) return error("Server returned 401 Unauthorized")
        return yield* publishTo(child, camera)
      }, Effect.scoped)

      const direct = Effect.fnUntraced(function* (child: FakeChild) {
        yield* Effect.sleep(2 * tick)
        if (faults.directHangs) return yield* Effect.never
        if (faults.direct !== undefined) return error(faults.direct)
        for (let count = 0; ; count++) {
          child.stdout(numbered(number++, count * tick < faults.darkMillis))
          if (child.args.includes("-frames:v")) return { code: 0 }
          yield* Effect.sleep(tick)
        }
      })

      const trial = (child: FakeChild): Ending => {
        if (faults.hardware === undefined) return error("there is no such hardware")
        child.stdout(Buffer.from([0, 0, 0, 1, ...Buffer.from(conformantSps, "base64")]))
        return { code: 0 }
      }

      const convert = (child: FakeChild): Ending => {
        if (faults.convert !== undefined) return error(faults.convert)
        child.stdout(child.args.includes("png") ? png : numbered(number++))
        return { code: 0 }
      }

      const remux = (child: FakeChild): Ending => {
        if (faults.remux !== undefined) return error(faults.remux)
        copyFileSync(fileIn(child.args, 0), fileIn(child.args, 1))
        return { code: 0 }
      }

      const probe = (child: FakeChild) =>
        Effect.gen(function* () {
          const { duration } = (yield* Effect.orDie(readMp4Header(realDisk, fileIn(child.args, -1)))) ?? { duration: 1 }
          const reply = {
            streams: [{ codec_name: "h264", width: 640, height: 480 }],
            format: { duration: String(duration) }
          }
          child.stdout(Buffer.from(JSON.stringify(reply)))
          return { code: 0 }
        })

      const reconfigured = Effect.fnUntraced(function* (camera: string) {
        const recording = (yield* mtx.configs).get(camera)?.["record"] === true
        if (!recording) recorders.get(camera)?.close(yield* monotonicMillis)
      })

      const play = (child: FakeChild): Effect.Effect<Ending> =>
        Effect.suspend((): Effect.Effect<Ending> => {
          switch (child.work) {
            case "publish":
              return publish(child)
            case "direct":
              return direct(child)
            case "convert":
              return faults.convertHangs ? Effect.never : Effect.sync(() => convert(child))
            case "remux":
              return faults.remuxHangs ? Effect.never : Effect.sync(() => remux(child))
            case "probe":
              return probe(child)
            case "trial":
              return Effect.map(Effect.sleep(tick), () => trial(child))
            case "other":
              return Effect.succeed({ code: 0 })
          }
        })

      return FakeFfmpeg.of({ faults, children, mostAtOnce: () => mostAtOnce, play, reconfigured })
    })
  )
}

const progress = (count: number) =>
  `frame=${Math.round((count * tick) / 40)}\nfps=25.0\nbitrate=600.0kbits/s\nout_time_us=${count * tick * 1000}\nprogress=continue\n`

/** What a picture of the fake FFmpeg says which one it is. */
export const numberOf = (jpeg: Uint8Array): Option.Option<number> => {
  const found = /picture (\d+)/.exec(Buffer.from(jpeg).toString("latin1"))?.[1]
  return found === undefined ? Option.none() : Option.some(Number(found))
}
