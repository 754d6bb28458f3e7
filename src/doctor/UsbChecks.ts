import * as Effect from "effect/Effect"
import { basename, join } from "node:path"
import { liveNow, Settings } from "../config/Settings.ts"
import type { Format } from "../device/Device.ts"
import { locate, nameOf, tidy } from "../device/v4l2/NodeLocation.ts"
import { v4l2Input } from "../device/v4l2/V4l2Input.ts"
import { KernelFiles } from "../ground/KernelFiles.ts"
import { encodingOf } from "../source/Encoder.ts"
import { planSource } from "../source/Source.ts"
import { highSpeed, isCrowded, megabitsOf } from "../source/UsbRate.ts"
import { together } from "./CameraChecks.ts"
import { type Check, ok, warning } from "./Check.ts"

/** udev's socket, and what it has written down of each device that it has seen to (systemd's src/libsystemd/sd-device). */
const udev = "/run/udev"

interface UsbCamera {
  readonly about: string
  /** the folder of the root hub, which all that are on its bus share */
  readonly bus: string
  /** megabits a second, of the camera's own link */
  readonly speed: number
  /** what is streamed of it; undefined: it cannot be asked, or delivers nothing that the service reads */
  readonly streams: { readonly what: string; readonly megabits: number } | undefined
}

/**
 * How cameras come to /dev, and whether those that are there find room on their buses. `formatsOf`: of the camera at this
 * path; none where they are not known.
 */
export const makeUsbChecks = Effect.fnUntraced(function* (
  formatsOf: (path: string) => Effect.Effect<ReadonlyArray<Format>>
) {
  const settings = yield* Settings
  const files = yield* KernelFiles
  const { v4l2 } = settings.boot.cameras
  const entryOf = (node: string) => join(files.sys, "class/video4linux", node)
  const all = (): ReadonlyArray<string> =>
    files
      .names(join(files.sys, "class/video4linux"))
      .filter((name) => /^video\d+$/.test(name))
      .sort()
  const megabits = (folder: string) => Number(tidy(files.text(join(folder, "speed")) ?? ""))

  const lookAtUdev = Effect.sync(() => {
    if (!v4l2) return ok("cameras.v4l2 is false: none is waited for")
    if (!files.exists(join(udev, "control"))) {
      const evidence =
        "udev does not run: nodes of cameras that are plugged in are root's alone, or do not appear at all"
      return warning(evidence, "systemctl start systemd-udevd; in a container, give it the nodes, and their group")
    }
    const unseen = all().filter((node) => {
      const { device } = files.file(join(files.dev, node)) ?? {}
      return device !== undefined && !files.exists(join(udev, "data", `c${numbersOf(device)}`))
    })
    return unseen.length === 0
      ? ok("udev runs")
      : warning(
          `udev has not seen to ${unseen.map((node) => join(files.dev, node)).join(", ")}`,
          "udevadm trigger --subsystem-match=video4linux"
        )
  })

  /** Undefined: the node is none of a USB camera's. */
  const lookAt = Effect.fnUntraced(function* (node: string) {
    const { isUsbCamera, usb } = locate(files, entryOf(node))
    const [bus] = /^.*?\/usb\d+(?=\/)/.exec(usb?.device ?? "") ?? []
    if (!isUsbCamera || usb === undefined || bus === undefined) return undefined
    const path = join(files.dev, node)
    const formats = yield* formatsOf(path)
    const device = { id: "camera0", name: "", status: "CONNECTED", identity: { position: "" }, formats } as const
    const source = planSource({ ...device, input: v4l2Input(path) }, encodingOf(settings.boot, liveNow(settings)))
    return {
      about: `${path} (${nameOf(files, entryOf(node)) || "without a name"})`,
      bus,
      speed: megabits(usb.device),
      streams: source === undefined ? undefined : { what: source.delivers, megabits: megabitsOf(source.captures) }
    } satisfies UsbCamera as UsbCamera
  })

  const lookAtBus = (bus: string, cameras: ReadonlyArray<UsbCamera>) => {
    const speed = megabits(bus)
    const lines = cameras.map(({ about, streams }) =>
      streams === undefined ? about : `${about}: ${streams.what}, about ${Math.round(streams.megabits)} Mb/s`
    )
    const evidence = [`${basename(bus)}, ${speed} Mb/s: ${count(cameras.length)}`, ...lines].join("\n  ")
    const slow = cameras.filter((camera) => camera.speed > 0 && camera.speed < highSpeed)
    if (slow.length > 0) {
      const names = slow.map((camera) => `${camera.about} has ${camera.speed} Mb/s`).join(", ")
      return warning(`${evidence}\n  ${names}`, "plug it into another port, without a hub, with another cable")
    }
    const wanted = cameras.flatMap(({ streams }) => (streams === undefined ? [] : [streams.megabits]))
    if (speed > highSpeed || !isCrowded(wanted)) return ok(evidence)
    return warning(
      `${evidence}\n  all at once they may find no room there`,
      "plug one of them into a port of another controller (lsusb --tree), or have fewer run at once"
    )
  }

  const lookAtBuses = Effect.gen(function* () {
    if (!v4l2) return ok("cameras.v4l2 is false: none is looked for")
    const found = yield* Effect.forEach(all(), lookAt, { concurrency: "unbounded" })
    const buses = Map.groupBy(
      found.filter((one) => one !== undefined),
      ({ bus }) => bus
    )
    return buses.size === 0
      ? ok("no USB camera is plugged in")
      : together([...buses].map(([bus, cameras]) => lookAtBus(bus, cameras)))
  })

  return [
    { name: "udev", look: lookAtUdev },
    { name: "usb", look: lookAtBuses }
  ] satisfies ReadonlyArray<Check>
})

const count = (cameras: number): string => (cameras === 1 ? "one camera" : `${cameras} cameras`)

/** As udev names a character device by its number (makedev(3): 12 bits of the major lie between those of the minor). */
const numbersOf = (device: bigint): string => {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn)
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn)
  return `${major}:${minor}`
}
