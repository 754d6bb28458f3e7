import * as Effect from "effect/Effect"
import { join } from "node:path"
import type { KernelFiles } from "../../ground/KernelFiles.ts"
import { textAt } from "./Ioctl.ts"
import type { Kernel } from "./Kernel.ts"

/** MEDIA_IOC_DEVICE_INFO of linux/media.h, and where its answer has the driver and the serial number. */
const deviceInfo = { request: 0xc1007c00, size: 256, driver: [0, 16], serial: [48, 40] } as const

/** A longer serial number is cut. */
const longest = deviceInfo.serial[1] - 1

const mediaName = /^media\d+$/

/**
 * The serial number of the USB camera whose interface has this folder in sysfs, as its media device has it, which never
 * waits for the drivers of the device's other interfaces. Undefined where it does not tell.
 */
export const mediaSerial = (kernel: Kernel["Service"], files: KernelFiles["Service"], folder: string) =>
  Effect.gen(function* () {
    const name = files.names(folder).find((entry) => mediaName.test(entry))
    if (name === undefined) return undefined
    const media = yield* kernel.open(join(files.dev, name))
    const answer = Buffer.alloc(deviceInfo.size)
    if (!(yield* media.ioctlAsync(deviceInfo.request, answer))) return undefined
    // what other drivers put there is their own affair
    if (textAt(answer, ...deviceInfo.driver) !== "uvcvideo") return undefined
    const serial = textAt(answer, ...deviceInfo.serial)
    return Buffer.byteLength(serial) < longest ? serial : undefined
  }).pipe(
    Effect.scoped,
    // not yet ours to open, or gone: sysfs tells the same, later
    Effect.orElseSucceed(() => undefined)
  )
