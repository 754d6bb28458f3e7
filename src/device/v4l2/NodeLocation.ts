import { dirname, join, relative } from "node:path"
import type { KernelFiles } from "../../ground/KernelFiles.ts"
import type { Identity } from "../Device.ts"

type Files = KernelFiles["Service"]

/** Where in the machine a node is, as sysfs knows it. */
export interface NodeLocation {
  /** of a USB device: known before it is asked anything */
  readonly usb?: Identity
  /** the node among the device's nodes: its USB interface, and its index there unless it is the first */
  readonly slot: string
  /** the device's path in sysfs: stands in for the bus where a driver names none; empty where there is no sysfs */
  readonly path: string
  /** the node that a USB camera delivers frames from (USB video class), whether or not it can be opened */
  readonly isUsbCamera: boolean
}

/** What is known of it at once: all but the serial number. */
export interface UnnumberedLocation extends Omit<NodeLocation, "usb"> {
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
export const locate = (files: Files, entry: string): UnnumberedLocation => {
  const devices = join(files.sys, "devices")
  const link = files.target(entry)
  const own = link === undefined ? undefined : join(dirname(entry), link)
  const index = Number(own === undefined ? 0 : attribute(files, own, "index"))
  if (own === undefined) return { slot: slotOf(undefined, index), path: "", isUsbCamera: false }
  // between the device and the node lies the folder of its class
  const path = relative(devices, dirname(dirname(own)))
  const found = usbOf(path)
  if (found === undefined) return { slot: slotOf(undefined, index), path, isUsbCamera: false }
  const folder = join(devices, found.interface)
  const { interfaceClass, model } = modelOf(attribute(files, folder, "modalias"))
  return {
    usb: { device: join(devices, found.device), interface: folder, port: found.port, model },
    slot: slotOf(found.number, index),
    path,
    isUsbCamera: index === 0 && interfaceClass === videoClass
  }
}

/**
 * Where the serial number of the USB device with this folder is. Who reads it waits while the kernel has the device locked:
 * until drivers are bound to all its interfaces, which with a microphone takes as long as that needs.
 */
export const serialFile = (device: string): string => join(device, "serial")

/** The location of a device with this serial number, or the empty text. */
export const withSerial = ({ usb, ...location }: UnnumberedLocation, serial: string): NodeLocation => {
  if (usb === undefined) return location
  const { model, port } = usb
  const position = `bus:${port}:${model}:${location.slot}`
  return {
    ...location,
    usb: serial === "" ? { position } : { position, serial: `usb:${model}:${serial}:${location.slot}` }
  }
}

/** The driver's name for the node with this entry, usually the camera's. */
export const nameOf = (files: Files, entry: string): string => attribute(files, entry, "name")

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
export const identityOf = ({ path, slot, usb }: NodeLocation, bus: string): Identity =>
  usb ?? { position: `bus:${bus === "" ? path : bus}:${slot}` }

/** A device of several cameras has an interface for each (a laptop's colour and infrared), or an index (RealSense). */
const slotOf = (usbInterface: number | undefined, index: number): string =>
  usbInterface === undefined ? String(index) : `${usbInterface}${index === 0 ? "" : `.${index}`}`

export const tidy = (text: string): string => text.replace(/\p{Cc}/gu, "").trim()

/** The file's text, or the empty text. */
const attribute = (files: Files, folder: string, name: string): string => tidy(files.text(join(folder, name)) ?? "")
