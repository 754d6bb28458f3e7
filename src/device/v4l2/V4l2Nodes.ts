import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import type { KoffiFunc } from "koffi"
import { close, constants, open } from "node:fs"
import { getSystemErrorName, promisify } from "node:util"
import type { Format, FrameSize } from "../Device.ts"
import {
  bufferType,
  type Capability,
  currentFrame,
  currentRate,
  formatAt,
  frameRates,
  frameSizes,
  type Ioctl,
  isCamera,
  queryCapability
} from "./Ioctl.ts"

/** A node did not say what it is. `code` is the errno's name, `TIMEOUT`, or `NO_FFI` where ioctl cannot be called. */
export class ProbeFailed extends Schema.TaggedError<ProbeFailed>()("ProbeFailed", {
  /** its path */
  node: Schema.String,
  code: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}

/** What a node says it is; `formats` is empty unless it is a camera. */
export interface NodeInfo extends Capability {
  readonly formats: ReadonlyArray<Format>
}

/** A camera answers within 20 ms; one that has to be woken first may take a second. */
const deadline = Duration.seconds(2)
/** An open that hangs occupies one of libuv's few threads (four unless told otherwise), which files wait for too. */
const atOnce = 2
/** More than any device lists. */
const maxFormats = 64
/** For drivers that neither list their rates nor say which is set. */
const usualRate = 30

/** The V4L2 nodes as the kernel describes them. */
export class V4l2Nodes extends Context.Service<
  V4l2Nodes,
  {
    /** Asks the node at this path what it is; 2 s at most. Streaming by others goes on undisturbed. */
    readonly probe: (path: string) => Effect.Effect<NodeInfo, ProbeFailed>
  }
>()("camera-service/device/v4l2/V4l2Nodes") {
  static readonly layer = Layer.effect(
    V4l2Nodes,
    Effect.gen(function* () {
      const gate = yield* Semaphore.make(atOnce)
      const opening = new Set<string>()
      // the foreign function interface takes 12 ms and 3 MB: only where there is a node to ask
      let loading: ReturnType<typeof loadIoctl> | undefined
      const ioctlOf = Effect.promise(() => (loading ??= loadIoctl()))

      const openNode = async (path: string): Promise<number> => {
        opening.add(path)
        try {
          // may wait for the device to wake up, hence in libuv's pool
          return await promisify(open)(path, constants.O_RDWR | constants.O_NONBLOCK)
        } finally {
          opening.delete(path)
        }
      }

      /** The open cannot be taken back: when it ends after our deadline, what it opened is closed then. */
      const descriptor = Effect.fnUntraced(function* (path: string) {
        // one that hangs is not joined by a second one, and what hangs leaves a thread to the others
        if (opening.has(path) || opening.size > atOnce) return yield* new ProbeFailed({ node: path, code: "TIMEOUT" })
        const opened = yield* Effect.acquireRelease(
          Effect.sync(() => ({ fd: openNode(path) })),
          ({ fd }) => Effect.sync(() => void fd.then(closeQuietly, () => undefined))
        )
        return yield* Effect.tryPromise({
          try: () => opened.fd,
          catch: (cause) => new ProbeFailed({ node: path, code: codeOf(cause), cause })
        })
      })

      const ask = Effect.fnUntraced(function* (path: string) {
        const fd = yield* descriptor(path)
        const bound = yield* ioctlOf
        if (typeof bound !== "function")
          return yield* new ProbeFailed({ node: path, code: "NO_FFI", cause: bound.cause })
        const ioctl = bound(fd)
        const capability = queryCapability(ioctl)
        if (typeof capability === "number") {
          return yield* new ProbeFailed({ node: path, code: getSystemErrorName(-capability) })
        }
        const formats = isCamera(capability.deviceCaps)
          ? yield* enumerate(ioctl, bufferType(capability.deviceCaps))
          : []
        return { ...capability, formats }
      }, Effect.scoped)

      const probe = Effect.fn("V4l2Nodes.probe")(
        (path: string) =>
          ask(path).pipe(
            Effect.timeoutOrElse({
              duration: deadline,
              orElse: () => Effect.fail(new ProbeFailed({ node: path, code: "TIMEOUT" }))
            })
          ),
        gate.withPermit
      )

      return V4l2Nodes.of({ probe })
    })
  )
}

/** All formats with their sizes and rates; a few hundred ioctls, so others have their turn after each size. */
export const enumerate = Effect.fnUntraced(function* (ioctl: Ioctl, type: number) {
  const formats = new Map<string, Format>()
  for (let index = 0; index < maxFormats; index++) {
    const format = formatAt(ioctl, type, index)
    if (format === undefined) break
    if (formats.has(format.pixelFormat)) continue
    const sizes: Array<FrameSize> = []
    const listed = frameSizes(ioctl, format.code)
    const current = listed.length === 0 ? currentFrame(ioctl, type) : undefined
    for (const frame of current === undefined ? listed : [current]) {
      const rates = frameRates(ioctl, format.code, frame)
      sizes.push({ ...frame, rates: rates.length > 0 ? rates : [currentRate(ioctl, type) ?? usualRate] })
      yield* Effect.yieldNow
    }
    formats.set(format.pixelFormat, { pixelFormat: format.pixelFormat, sizes })
  }
  return [...formats.values()]
})

const codeOf = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "EIO"

/** Nothing can be done where the kernel refuses to close; the descriptor is gone all the same (close(2)). */
const closeQuietly = (fd: number): void => close(fd, () => undefined)

const EINTR = 4

/** ioctl(2) of the C library that Node itself runs on; why not, where it cannot be called. */
const loadIoctl = async (): Promise<((fd: number) => Ioctl) | { readonly cause: unknown }> => {
  try {
    const { errno, load } = await import("koffi")
    const call = load(null).func("int ioctl(int fd, unsigned long request, void *argument)") as KoffiFunc<
      (fd: number, request: number, argument: Buffer) => number
    >
    return (fd) => (request, argument) => {
      for (;;) {
        if (call(fd, request, argument) !== -1) return 0
        const error = errno()
        if (error !== EINTR) return error
      }
    }
  } catch (cause) {
    return { cause }
  }
}
