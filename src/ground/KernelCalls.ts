import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { KoffiFunc } from "koffi"
import { close, constants, open } from "node:fs"
import { getSystemErrorName, promisify } from "node:util"

/** Asks the kernel; the answer is written into `argument`. Gives 0, or the errno. */
export type Ioctl = (request: number, argument: Buffer) => number

/** What calls ioctl(2) on open nodes, by their descriptors. */
export interface Ioctls {
  /** for what the driver answers from memory */
  readonly ioctl: (fd: number) => Ioctl
  /** for what may wait for the device: whether the kernel did it; why not cannot be told */
  readonly ioctlAsync: (fd: number, request: number, argument: Buffer) => Promise<boolean>
  /** where a buffer lies in memory, for structures with pointers */
  readonly addressOf: (buffer: Buffer) => bigint
}

/**
 * The bare system calls on nodes. What is a promise waits in a thread of libuv's pool for as long as the device likes, and
 * cannot be taken back.
 */
export class KernelCalls extends Context.Service<
  KernelCalls,
  {
    /** opens a node for reading and writing, which takes it from nobody; rejects with the errno's name as `code` */
    readonly open: (path: string) => Promise<number>
    /** at once */
    readonly close: (fd: number) => void
    /** loads what calls ioctl(2), which stops all else for 12 ms and takes 3 MB; rejects where it cannot be called */
    readonly ioctls: () => Promise<Ioctls>
  }
>()("camera-service/ground/KernelCalls") {
  /** This machine's. */
  static readonly layer = Layer.sync(KernelCalls, () =>
    KernelCalls.of({
      open: (path) => openFile(path, constants.O_RDWR | constants.O_NONBLOCK),
      // nothing can be done where the kernel refuses to close; the descriptor is gone all the same (close(2))
      close: (fd) => close(fd, () => undefined),
      ioctls: loadIoctls
    })
  )
}

/** `ENOTTY`, of 25. */
export const errnoName = (errno: number): string => getSystemErrorName(-errno)

const openFile = promisify(open)

const EINTR = 4

/** Of the C library that Node itself runs on. */
const loadIoctls = async (): Promise<Ioctls> => {
  const { address, errno, load } = await import("koffi")
  const call = load(null).func("int ioctl(int fd, unsigned long request, void *argument)") as KoffiFunc<
    (fd: number, request: number, argument: Buffer) => number
  >
  return {
    ioctl: (fd) => (request, argument) => {
      for (;;) {
        if (call(fd, request, argument) !== -1) return 0
        const error = errno()
        if (error !== EINTR) return error
      }
    },
    ioctlAsync: (fd, request, argument) =>
      new Promise((resolve, reject) => {
        call.async(fd, request, argument, (error: unknown, result) =>
          error ? reject(error as Error) : resolve(result !== -1)
        )
      }),
    addressOf: address
  }
}
