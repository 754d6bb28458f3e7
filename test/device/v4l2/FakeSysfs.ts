import * as Effect from "effect/Effect"
import { mkdir, realpath, rm, symlink, unlink, writeFile } from "node:fs/promises"
import { dirname, join, relative } from "node:path"
import { temporaryFolder } from "../../storage/Workbench.ts"

export interface FakeNode {
  /** the device's folder, under `devices` */
  readonly device: string
  readonly index?: number
  readonly name?: string
  /** attributes by their path under `devices` */
  readonly attributes?: Readonly<Record<string, string>>
}

export interface UsbCamera {
  /** where it is plugged in: `1-2`, or `1-2.4` behind a hub */
  readonly port: string
  readonly serial?: string
  readonly product?: string
  /** the number of its interface */
  readonly usbInterface?: number
  /** its interface's class, in hexadecimal digits */
  readonly usbClass?: string
}

const hub = "pci0000:00/0000:00:14.0/usb1"

/** The first node of a USB camera: its folder is that of an interface, whose parent is the device. */
export const usbCamera = ({
  port,
  product = "0825",
  serial,
  usbClass = "0E",
  usbInterface = 0
}: UsbCamera): FakeNode => {
  const hubs = port.split(".").slice(0, -1)
  const device = [hub, ...hubs.map((_, i) => hubs.slice(0, i + 1).join(".")), port].join("/")
  const folder = `${device}/${port}:1.${usbInterface}`
  return {
    device: folder,
    attributes: {
      // the hub that everything is plugged into is a USB device too
      [`${hub}/serial`]: "0000:00:14.0",
      [`${folder}/modalias`]: `usb:v046Dp${product}d0012dcEFdsc02dp01ic${usbClass}isc01ip00in00`,
      ...(serial === undefined ? {} : { [`${device}/serial`]: serial })
    }
  }
}

/** A sysfs and a /dev in a folder of their own, laid out as the kernel does. */
export const fakeKernel = Effect.map(temporaryFolder, (root) => {
  const sys = join(root, "sys")
  const dev = join(root, "dev")
  const entry = (node: string): string => join(sys, "class", "video4linux", node)

  /** What sysfs tells of a node: its class entry links to the device, and that to its parent. */
  const describe = (node: string, { attributes = {}, device, index = 0, name = "" }: FakeNode) =>
    Effect.promise(async () => {
      const parent = join(sys, "devices", device)
      const own = join(parent, "video4linux", node)
      await mkdir(own, { recursive: true })
      await mkdir(dirname(entry(node)), { recursive: true })
      await mkdir(dev, { recursive: true })
      for (const [name, text] of Object.entries(attributes)) {
        await writeFile(join(sys, "devices", name), `${text}\n`)
      }
      await writeFile(join(own, "index"), `${index}\n`)
      await writeFile(join(own, "name"), `${name}\n`)
      await symlink(relative(own, parent), join(own, "device"))
      await symlink(relative(dirname(entry(node)), own), entry(node))
    })

  /** The node comes into /dev: the event. */
  const appear = (node: string) => Effect.promise(() => writeFile(join(dev, node), ""))

  const plug = (node: string, device: FakeNode) => Effect.andThen(describe(node, device), appear(node))

  /** The node is gone from /dev and from the class; `dev: false` where /dev is made by hand. */
  const unplug = (node: string, { dev: removed = true } = {}) =>
    Effect.promise(async () => {
      if (removed) await unlink(join(dev, node))
      const own = await realpath(entry(node))
      await unlink(entry(node))
      await rm(own, { recursive: true })
    })

  const prepare = Effect.promise(async () => {
    await mkdir(join(sys, "class"), { recursive: true })
    await mkdir(dev, { recursive: true })
  })

  return { root, sys, dev, describe, appear, plug, unplug, prepare }
})
