import { readFile, realpath } from "node:fs/promises"
import { basename, dirname, join, relative } from "node:path"
import type { Identity } from "../Device.ts"

/** What sysfs knows of a node. */
export interface Place {
  /** of a USB device: known before it is asked anything */
  readonly usb?: Identity
  /** the node among the device's nodes: its USB interface, and its index there unless it is the first */
  readonly slot: string
  /** the device's path in sysfs: stands in for the bus where a driver names none; empty where there is no sysfs */
  readonly path: string
  /** the driver's name for the node, usually the camera's */
  readonly name: string
  /** the node that a USB camera delivers frames from (USB video class), whether or not it can be opened */
  readonly isUsbCamera: boolean
}

/** No device lies deeper under its USB device, or the root, than this. */
const depth = 16
/** bInterfaceClass of USB_CLASS_VIDEO (usb/ch9.h) */
const videoClass = "0e"

/**
 * Where the node with this entry (`/sys/class/video4linux/video0`) belongs, from the sysfs mounted at `sys`: small reads of the kernel's memory; nothing is asked
 * of the device. Only its serial number may take time: it is locked while a driver is being bound to the device.
 */
export const readPlace = async (sys: string, entry: string): Promise<Place> => {
  const index = Number(await attribute(entry, "index"))
  const name = await attribute(entry, "name")
  const device = await realpath(join(entry, "device")).catch(() => undefined)
  if (device === undefined) return { slot: slotOf("", index), path: "", name, isUsbCamera: false }
  const root = await realpath(sys)
  const path = relative(join(root, "devices"), device)
  let usbInterface = ""
  let interfaceClass = ""
  let folder = device
  for (let level = 0; level < depth && folder !== root && folder !== dirname(folder); level++) {
    if (usbInterface === "") {
      usbInterface = await attribute(folder, "bInterfaceNumber")
      interfaceClass = await attribute(folder, "bInterfaceClass")
    }
    const vendor = await attribute(folder, "idVendor")
    if (vendor !== "") {
      const slot = slotOf(usbInterface, index)
      const model = `${vendor}:${await attribute(folder, "idProduct")}`
      const port = portOf(folder, await attribute(folder, "devpath"))
      const serial = await attribute(folder, "serial")
      const usb = {
        position: `bus:${port ?? path}:${model}:${slot}`,
        ...(serial === "" ? {} : { serial: `usb:${model}:${serial}:${slot}` })
      }
      return { usb, slot, path, name, isUsbCamera: interfaceClass === videoClass && index === 0 }
    }
    folder = dirname(folder)
  }
  return { slot: slotOf("", index), path, name, isUsbCamera: false }
}

/** Who the camera is, with what the kernel says of its bus where sysfs does not say enough. */
export const identityOf = ({ path, slot, usb }: Place, bus: string): Identity =>
  usb ?? { position: `bus:${bus === "" ? path : bus}:${slot}` }

/** A device of several cameras has an interface for each (a laptop's colour and infrared), or an index (RealSense). */
const slotOf = (usbInterface: string, index: number): string =>
  usbInterface === "" ? String(index) : `${Number.parseInt(usbInterface, 16)}${index === 0 ? "" : `.${index}`}`

/** As the kernel's usb_make_path says it, and so QUERYCAP: the host controller's device, and the way through the hubs. */
const portOf = (device: string, devpath: string): string | undefined => {
  let folder = device
  for (let level = 0; level < depth && folder !== dirname(folder); level++) {
    if (/^usb\d+$/.test(basename(folder))) {
      return devpath === "" ? undefined : `usb-${basename(dirname(folder))}-${devpath}`
    }
    folder = dirname(folder)
  }
  return undefined
}

/** The file's text, or the empty text. */
const attribute = async (folder: string, name: string): Promise<string> => {
  try {
    return (await readFile(join(folder, name), "utf8")).replace(/\p{Cc}/gu, "").trim()
  } catch {
    return ""
  }
}
