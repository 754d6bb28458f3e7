import { closeSync, openSync, read, readFileSync, readlinkSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { promisify } from "node:util"
import type { Identity } from "../Device.ts"

/** What sysfs knows of a node. */
export interface Place {
  /** of a USB device: known before it is asked anything */
  readonly usb?: Identity
  /** the node among the device's nodes: its USB interface, and its index there unless it is the first */
  readonly slot: string
  /** the device's path in sysfs: stands in for the bus where a driver names none; empty where there is no sysfs */
  readonly path: string
  /** the node that a USB camera delivers frames from (USB video class), whether or not it can be opened */
  readonly isUsbCamera: boolean
}

/** What is known of a node's place at once: all but the serial number. */
export interface Site extends Omit<Place, "usb"> {
  readonly usb?: {
    /** the device's folder in sysfs, and its interface's */
    readonly device: string
    readonly interface: string
    readonly port: string
    /** vendor and product: `046d:0825` */
    readonly model: string
  }
}

/** The interface class of USB_CLASS_VIDEO (usb/ch9.h), as a modalias has it. */
const videoClass = "0E"

/**
 * Where the node with this entry (`/sys/class/video4linux/video0`) belongs. Most of it says the entry's link, which names
 * all parents: `../../devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/video4linux/video0`. What is read beside it comes
 * from the kernel's memory within microseconds.
 */
export const readSite = (sys: string, entry: string): Site => {
  const own = targetOf(entry)
  const index = Number(own === undefined ? 0 : attribute(own, "index"))
  if (own === undefined) return { slot: slotOf(undefined, index), path: "", isUsbCamera: false }
  // between the device and the node lies the folder of its class
  const path = relative(join(sys, "devices"), dirname(dirname(own)))
  const found = usbOf(path)
  if (found === undefined) return { slot: slotOf(undefined, index), path, isUsbCamera: false }
  const folder = join(sys, "devices", found.interface)
  const { interfaceClass, model } = modelOf(attribute(folder, "modalias"))
  return {
    usb: { device: join(sys, "devices", found.device), interface: folder, port: found.port, model },
    slot: slotOf(found.number, index),
    path,
    isUsbCamera: index === 0 && interfaceClass === videoClass
  }
}

/**
 * The serial number of the USB device with this folder, or the empty text. Waits while the kernel has the device locked:
 * until drivers are bound to all its interfaces, which with a microphone takes as long as that needs.
 */
export const readSerial = (device: string): Promise<string> => lockedAttribute(device, "serial")

export const placeAt = ({ usb, ...site }: Site, serial: string): Place => {
  if (usb === undefined) return site
  const { model, port } = usb
  const position = `bus:${port}:${model}:${site.slot}`
  return { ...site, usb: serial === "" ? { position } : { position, serial: `usb:${model}:${serial}:${site.slot}` } }
}

/** The driver's name for the node with this entry, usually the camera's. */
export const readName = (entry: string): string => attribute(entry, "name")

/**
 * What says a USB interface's modalias, `usb:v046Dp0825d0012dcEFdsc02dp01ic0Eisc01ip00in00`: the device's vendor and
 * product, `046d:0825`, and the interface's class. One file for three: each costs four calls into the kernel.
 */
const modelOf = (modalias: string) => {
  const [, vendor = "", product = "", interfaceClass] = /^usb:v(.{4})p(.{4})d.*ic(..)isc/.exec(modalias) ?? []
  return { model: `${vendor}:${product}`.toLowerCase(), interfaceClass }
}

/**
 * The USB interface in a path of devices, `…/0000:00:14.0/usb1/1-2/1-2.4/1-2.4:1.0`: its number, its device, and the way
 * to it as the kernel's usb_make_path says it, and so QUERYCAP: the host controller's device, and the ports of the hubs.
 */
const usbOf = (path: string) => {
  const found = /^(.*\/)?([^/]+)\/usb\d+\/(?:[^/]+\/)*?(\d+-([\d.]+))\/(\3:\d+\.(\d+))(?=\/|$)/.exec(path)
  if (found === null) return undefined
  const [all, , controller, , ports, interfaceName = "", number] = found
  return {
    interface: all,
    device: all.slice(0, -interfaceName.length - 1),
    number: Number(number),
    port: `usb-${controller}-${ports}`
  }
}

/** Who the camera is, with what the kernel says of its bus where sysfs does not say enough. */
export const identityOf = ({ path, slot, usb }: Place, bus: string): Identity =>
  usb ?? { position: `bus:${bus === "" ? path : bus}:${slot}` }

/** A device of several cameras has an interface for each (a laptop's colour and infrared), or an index (RealSense). */
const slotOf = (usbInterface: number | undefined, index: number): string =>
  usbInterface === undefined ? String(index) : `${usbInterface}${index === 0 ? "" : `.${index}`}`

const targetOf = (entry: string): string | undefined => {
  try {
    return join(dirname(entry), readlinkSync(entry))
  } catch {
    return undefined
  }
}

const tidy = (text: string): string => text.replace(/\p{Cc}/gu, "").trim()

/** The file's text, or the empty text. */
const attribute = (folder: string, name: string): string => {
  try {
    return tidy(readFileSync(join(folder, name), "utf8"))
  } catch {
    return ""
  }
}

/** The kernel's attributes are a page at most. */
const page = 4096

const readFrom = promisify(read)

/** `attribute`, where the kernel may keep us waiting: in libuv's pool. */
const lockedAttribute = async (folder: string, name: string): Promise<string> => {
  let fd: number
  try {
    fd = openSync(join(folder, name), "r")
  } catch {
    return ""
  }
  try {
    const { buffer, bytesRead } = await readFrom(fd, Buffer.alloc(page), 0, page, 0)
    return tidy(buffer.toString("utf8", 0, bytesRead))
  } catch {
    return ""
  } finally {
    closeSync(fd)
  }
}
