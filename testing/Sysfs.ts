import { type Content, join } from "./KernelTree.ts"

/** A V4L2 node as sysfs shows it. */
export interface SysfsNode {
  /** the device's folder, under `devices` */
  readonly device: string
  readonly index?: number
  readonly name?: string
  /** the name of the device's driver */
  readonly driver?: string
  /** attributes by their path under `devices` */
  readonly attributes?: Readonly<Record<string, string>>
}

export interface UsbPort {
  /** where it is plugged in: `1-2`, or `1-2.4` behind a hub; the first number is the bus's, 1 of USB 2, others of USB 3 */
  readonly port: string
  /** megabits a second that it has agreed on; else its bus's */
  readonly speed?: number
  readonly serial?: string
  readonly product?: string
  /** the number of its interface */
  readonly usbInterface?: number
  /** its interface's class, in hexadecimal digits */
  readonly usbClass?: string
}

/** The first node of a USB camera: its folder is that of an interface, whose parent is the device. */
export const usbCamera = ({
  port,
  product = "0825",
  serial,
  speed,
  usbClass = "0E",
  usbInterface = 0
}: UsbPort): SysfsNode => {
  const bus = port.split("-")[0]
  const busSpeed = bus === "1" ? 480 : 5000
  const hub = `pci0000:00/0000:00:14.0/usb${bus}`
  const hubs = port.split(".").slice(0, -1)
  const device = [hub, ...hubs.map((_, i) => hubs.slice(0, i + 1).join(".")), port].join("/")
  const folder = `${device}/${port}:1.${usbInterface}`
  return {
    device: folder,
    attributes: {
      // the hub that everything is plugged into is a USB device too
      [`${hub}/serial`]: "0000:00:14.0",
      [`${hub}/speed`]: String(busSpeed),
      [`${device}/speed`]: String(speed ?? busSpeed),
      [`${folder}/modalias`]: `usb:v046Dp${product}d0012dcEFdsc02dp01ic${usbClass}isc01ip00in00`,
      ...(serial === undefined ? {} : { [`${device}/serial`]: serial })
    }
  }
}

/** The node's entry in its class. */
export const classEntry = (sys: string, node: string): string => join(sys, "class/video4linux", node)

/** The node's own folder, which is gone with it. */
export const ownFolder = (sys: string, node: string, { device }: SysfsNode): string =>
  join(sys, "devices", device, "video4linux", node)

/**
 * What sysfs has of a node (`video0`), by path, in the order in which it comes: the entry of its class links to the device's
 * folder, and that to its parent.
 */
export const sysfsOf = (
  sys: string,
  node: string,
  there: SysfsNode
): ReadonlyArray<readonly [path: string, content: Extract<Content, { text: string } | { target: string }>]> => {
  const { attributes = {}, device, driver, index = 0, name = "" } = there
  const parent = join(sys, "devices", device)
  const own = ownFolder(sys, node, there)
  return [
    ...Object.entries(attributes).map(([path, text]) => [join(sys, "devices", path), { text: `${text}\n` }] as const),
    ...(driver === undefined
      ? []
      : [[join(parent, "driver"), { target: join(sys, "bus/usb/drivers", driver) }] as const]),
    [join(own, "index"), { text: `${index}\n` }],
    [join(own, "name"), { text: `${name}\n` }],
    [join(own, "device"), { target: "../.." }],
    [classEntry(sys, node), { target: join("../../devices", device, "video4linux", node) }]
  ]
}
