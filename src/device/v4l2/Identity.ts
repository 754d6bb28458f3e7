import * as Effect from "effect/Effect"
import { readFile, realpath } from "node:fs/promises"
import { dirname, join, relative } from "node:path"

/** What sysfs knows of where a node belongs; empty where there is no sysfs. */
export interface Place {
  /** `usb:VVVV:PPPP:SERIAL:SLOT`, where the device has a serial number: the same at any port */
  readonly serial?: string
  /** the node among the device's nodes: its USB interface, and its index there unless it is the first */
  readonly slot: string
  /** the device's path in sysfs: stands in for the bus where a driver names none (USB drivers always do) */
  readonly path: string
}

/** No device lies deeper under its USB device, or the root, than this. */
const depth = 16

/**
 * Where the node (`video0`) belongs, from the sysfs mounted at `sys`: two to twenty small reads of the kernel's memory;
 * nothing is asked of the device.
 */
export const readPlace = (sys: string, node: string): Effect.Effect<Place> =>
  Effect.promise(async () => {
    const entry = join(sys, "class", "video4linux", node)
    const index = Number(await attribute(entry, "index"))
    const device = await realpath(join(entry, "device")).catch(() => undefined)
    if (device === undefined) return { slot: slotOf("", index), path: "" }
    const root = await realpath(sys)
    const path = relative(join(root, "devices"), device)
    let usbInterface = ""
    let folder = device
    for (let level = 0; level < depth && folder !== root && folder !== dirname(folder); level++) {
      usbInterface ||= await attribute(folder, "bInterfaceNumber")
      const vendor = await attribute(folder, "idVendor")
      if (vendor !== "") {
        const serial = await attribute(folder, "serial")
        const product = await attribute(folder, "idProduct")
        const slot = slotOf(usbInterface, index)
        return { slot, path, ...(serial === "" ? {} : { serial: `usb:${vendor}:${product}:${serial}:${slot}` }) }
      }
      folder = dirname(folder)
    }
    return { slot: slotOf("", index), path }
  })

/** A device of several cameras has an interface for each (a laptop's colour and infrared), or an index (RealSense). */
const slotOf = (usbInterface: string, index: number): string =>
  usbInterface === "" ? String(index) : `${Number.parseInt(usbInterface, 16)}${index === 0 ? "" : `.${index}`}`

/** The file's text, or the empty text. */
const attribute = async (folder: string, name: string): Promise<string> => {
  try {
    return (await readFile(join(folder, name), "utf8")).replace(/\p{Cc}/gu, "").trim()
  } catch {
    return ""
  }
}

export interface Identified {
  readonly identity: string
  /** the device's serial number is another's too, so this one is known by where it is plugged in */
  readonly serialShared: boolean
}

export interface Identities {
  /** A node is there, camera or not: its serial number counts from now on. */
  readonly claim: (node: string, place: Place) => void
  /** The identity of a claimed node, with what the kernel says of its bus; no other node has it until this one is released. */
  readonly identify: (node: string, bus: string) => Identified
  /** The node is gone. */
  readonly release: (node: string) => void
}

/**
 * Gives each camera that is connected an identity of its own: by its serial number, else by its position. Cameras that
 * share a serial number go by position too; one that had it for itself before the other came keeps it, at that port.
 */
export const makeIdentities = (): Identities => {
  const places = new Map<string, Place>()
  const identities = new Map<string, string>()
  const shared = new Set<string>()
  /** serial number to the position of the camera that had it first */
  const holders = new Map<string, string>()

  const isFree = (identity: string): boolean => ![...identities.values()].includes(identity)

  const identify = (node: string, bus: string): Identified => {
    identities.delete(node)
    const { path, serial, slot } = places.get(node) ?? { slot: "0", path: "" }
    let position = `bus:${bus === "" ? path : bus}:${slot}`
    const place = position
    // drivers that say the same of two devices: a second name is better than one for both
    for (let n = 2; !isFree(position); n++) position = `${place}:${n}`
    if (serial !== undefined) {
      if ([...places].some(([other, at]) => other !== node && at.serial === serial)) shared.add(serial)
      if (isFree(serial) && (!shared.has(serial) || holders.get(serial) === position)) {
        holders.set(serial, position)
        identities.set(node, serial)
        return { identity: serial, serialShared: false }
      }
    }
    identities.set(node, position)
    return { identity: position, serialShared: serial !== undefined }
  }

  return {
    claim: (node, place) => void places.set(node, place),
    identify,
    release: (node) => {
      places.delete(node)
      identities.delete(node)
    }
  }
}
