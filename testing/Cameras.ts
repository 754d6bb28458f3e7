import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { KernelCalls } from "../src/ground/KernelCalls.ts"
import { KernelFiles } from "../src/ground/KernelFiles.ts"
import { makeKernel, type MemoryKernel } from "./MemoryKernel.ts"
import { type SysfsNode, usbCamera } from "./Sysfs.ts"
import { answerControls, type PlayedControl } from "./V4l2Controls.ts"
import { driverIoctl, type PlayedFormat } from "./V4l2Driver.ts"

/** A USB camera with one node. */
export interface CameraSpec {
  readonly name: string
  readonly serial?: string
  /** where it is plugged in: `1-2`, or `1-2.4` behind a hub (bus 1 is of USB 2, others of USB 3); else a port of its own */
  readonly port?: string
  /** megabits a second that it has agreed on; else its bus's */
  readonly speed?: number
  /** else MJPG, 640x480 at 30/s */
  readonly formats?: ReadonlyArray<PlayedFormat>
  /** with the values that they have now */
  readonly controls?: ReadonlyArray<PlayedControl>
}

/** A camera that was made, plugged in or not. What is done to it here the service has been told when the effect is over. */
export interface PlayedCamera {
  readonly spec: CameraSpec
  /** `/dev/video0`; undefined while it is not plugged in */
  readonly path: () => string | undefined
  readonly unplug: Effect.Effect<void>
  /** plugs it in again: as the node with this number, or the lowest that is free */
  readonly replug: (number?: number) => Effect.Effect<void>
  /** from now on no open of it ends, until it answers again */
  readonly hang: Effect.Effect<void>
  /** it answers again, those who wait as well */
  readonly revive: Effect.Effect<void>
  /** nobody may open its node any more (EACCES) */
  readonly refuse: Effect.Effect<void>
  /** everybody may */
  readonly allow: Effect.Effect<void>
  /** this program has it deliver frames, for as long as the scope lives */
  readonly occupy: (program: string) => Effect.Effect<void, never, Scope.Scope>
  readonly isBusy: () => boolean
}

/** The V4L2 cameras of a machine that is none, and what happens to them. */
export class Cameras extends Context.Service<
  Cameras,
  {
    /** makes a camera and plugs it in */
    readonly plug: (spec: CameraSpec) => Effect.Effect<PlayedCamera>
    /** the camera whose node this is: for who plays a program that reads it */
    readonly at: (path: string) => PlayedCamera | undefined
    /** puts a graphics card into the machine: its node is `/dev/dri/renderD128` */
    readonly putRenderer: (node: string) => void
    /** it has stopped, and what it knew is lost: it runs at first */
    readonly stopUdev: () => void
    readonly startUdev: () => void
    /** nodes that the service has open, each as often as it has */
    readonly opened: () => ReadonlyArray<string>
    /** opens that have not ended */
    readonly opening: () => number
  }
>()("camera-service/testing/Cameras") {
  static readonly layer: Layer.Layer<Cameras | KernelFiles | KernelCalls> = Layer.effectContext(
    Effect.sync(() => {
      const kernel = makeKernel()
      const byPath = new Map<string, PlayedCamera>()
      let ports = 0
      const cameras = Cameras.of({
        plug: (spec) =>
          Effect.suspend(() => {
            const camera = makeCamera(kernel, byPath, { port: `1-${++ports}`, ...spec })
            return Effect.as(camera.replug(), camera)
          }),
        at: (path) => byPath.get(path),
        putRenderer: kernel.addRenderer,
        stopUdev: kernel.stopUdev,
        startUdev: kernel.startUdev,
        opened: kernel.opened,
        opening: kernel.opening
      })
      return Context.make(Cameras, cameras).pipe(
        Context.add(KernelFiles, kernel.files),
        Context.add(KernelCalls, kernel.calls)
      )
    })
  )
}

/** Of linux/errno.h. */
const ENOTTY = 25
/** V4L2_CAP_VIDEO_CAPTURE, V4L2_CAP_EXT_PIX_FORMAT and V4L2_CAP_STREAMING: what uvcvideo says. */
const captures = 0x04200001

const usualFormats: ReadonlyArray<PlayedFormat> = [{ fourcc: "MJPG", sizes: [[640, 480]], intervals: [[1, 30]] }]

const makeCamera = (
  kernel: MemoryKernel,
  byPath: Map<string, PlayedCamera>,
  spec: CameraSpec & { readonly port: string }
): PlayedCamera => {
  const { controls = [], formats = usualFormats, name, port } = spec
  const there: SysfsNode = {
    ...usbCamera(spec),
    name,
    driver: "uvcvideo"
  }
  let path: string | undefined
  let mayOpen = true
  let occupants = 0
  let hanging: PromiseWithResolvers<void> | undefined

  const isBusy = () => occupants > 0
  const bus = `usb-0000:00:14.0-${port.slice(port.indexOf("-") + 1)}`
  const driver = driverIoctl({ card: name, bus, deviceCaps: captures, formats, isBusy })
  const answerControl = answerControls(controls, kernel.memory)
  const device = {
    mayOpen: () => mayOpen,
    answers: async () => hanging?.promise,
    ioctl: driver,
    request: (request: number, argument: Buffer) => {
      const errno = driver(request, argument)
      return errno === ENOTTY ? answerControl(request, argument) : errno === 0
    }
  }

  const remove = (): void => {
    if (path === undefined) return
    byPath.delete(path)
    kernel.remove(path, there)
    path = undefined
  }
  const permit = (may: boolean) =>
    Effect.sync(() => {
      mayOpen = may
      if (path !== undefined) kernel.touch(path)
    })

  const camera: PlayedCamera = {
    spec,
    path: () => path,
    unplug: Effect.sync(remove),
    replug: (number) =>
      Effect.sync(() => {
        remove()
        path = kernel.add(there, device, number)
        byPath.set(path, camera)
      }),
    hang: Effect.sync(() => {
      hanging ??= Promise.withResolvers<void>()
    }),
    revive: Effect.sync(() => {
      hanging?.resolve()
      hanging = undefined
    }),
    refuse: permit(false),
    allow: permit(true),
    occupy: (program) =>
      Effect.asVoid(
        Effect.acquireRelease(
          Effect.sync(() => {
            occupants++
            return kernel.run(program, path ?? "/")
          }),
          (end) =>
            Effect.sync(() => {
              occupants--
              end()
            })
        )
      ),
    isBusy
  }
  return camera
}
