import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import koffi from "koffi"
import { close } from "node:fs"
import { readFile, writeFile } from "node:fs/promises"
import { Socket } from "node:net"
import { promisify } from "node:util"

/**
 * A device on a virtual USB port: Linux's vhci_hcd speaks USB/IP over a socket that it is given (Linux,
 * Documentation/usb/usbip_protocol.rst). All fields are big-endian, a header has 48 bytes.
 */

/** What the host wants from the device (a URB). */
export interface Transfer {
  readonly id: number
  readonly endpoint: number
  /** of a control transfer: bmRequestType, bRequest, wValue, wIndex, wLength */
  readonly setup: Buffer
  /** what came with it */
  readonly data: Buffer
}

/** Statuses are negative errnos. */
export const stalled = -32
export const noSpace = -28

/** The device's end of the cable. */
export interface Link {
  /** Ends a transfer; nothing when it has ended already or the host has taken it back. */
  readonly complete: (id: number, status: number, data?: Buffer) => void
  readonly isOpen: (id: number) => boolean
  /** The connection is lost without a word. */
  readonly cut: () => void
}

const headerBytes = 48
const submit = 1
const unlink = 2
const submitted = 3
const unlinked = 4
const connectionReset = -104
const highSpeed = 3

const hub = "/sys/devices/platform/vhci_hcd.0"
/** Of a controller, for high speed; as many for SuperSpeed follow (CONFIG_USBIP_VHCI_HC_PORTS). Debian's kernel has 8 of them. */
const portsOfHub = 15
const controllerOf = (port: number): number => Math.floor(port / portsOfHub)
const kernelPort = (port: number): number => controllerOf(port) * 2 * portsOfHub + (port % portsOfHub)

const socketPair: (domain: number, type: number, protocol: number, fds: Int32Array) => number = koffi
  .load(null)
  .func("int socketpair(int, int, int, _Out_ int *)")

/** A pair of stream sockets: ours, and the descriptor that the kernel is told of. */
const openPair = (): readonly [ours: number, theirs: number] => {
  const fds = new Int32Array(2)
  // AF_UNIX and SOCK_STREAM are both 1
  if (socketPair(1, 1, 0, fds) !== 0) throw new Error(`socketpair: errno ${koffi.errno()}`)
  const [ours = -1, theirs = -1] = fds
  return [ours, theirs]
}

/** Tells the device of each message; gives back what to call with the bytes as they come. */
const reader = (onSubmit: (transfer: Transfer) => void, onUnlink: (id: number, target: number) => void) => {
  let rest: Buffer = Buffer.alloc(0)
  return (bytes: Buffer): void => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    while (rest.length >= headerBytes) {
      const id = rest.readUInt32BE(4)
      const toHost = rest.readUInt32BE(12) === 1
      const isSubmit = rest.readUInt32BE(0) === submit
      const end = headerBytes + (isSubmit && !toHost ? rest.readInt32BE(24) : 0)
      if (rest.length < end) return
      const message = rest.subarray(0, end)
      rest = rest.subarray(end)
      if (isSubmit) {
        const [setup, data] = [message.subarray(40, headerBytes), message.subarray(headerBytes)]
        onSubmit({ id, endpoint: message.readUInt32BE(16), setup, data })
      } else if (message.readUInt32BE(0) === unlink) {
        onUnlink(id, message.readUInt32BE(20))
      }
    }
  }
}

const answer = (kind: number, id: number, status: number, length: number): Buffer => {
  const header = Buffer.alloc(headerBytes)
  header.writeUInt32BE(kind, 0)
  header.writeUInt32BE(id, 4)
  header.writeInt32BE(status, 20)
  header.writeInt32BE(length, 24)
  return header
}

export interface Device {
  /** Gets each transfer once, and ends it then or later; it must not block. */
  readonly handle: (transfer: Transfer) => void
}

const makeLink = <A extends Device>(socket: Socket, make: (link: Link) => A) => {
  /** what the host waits for, and how many bytes it sent */
  const waiting = new Map<number, number>()
  const link: Link = {
    complete: (id, status, data) => {
      const sent = waiting.get(id)
      if (sent === undefined) return
      waiting.delete(id)
      const header = answer(submitted, id, status, data?.length ?? (status === 0 ? sent : 0))
      socket.write(data === undefined ? header : Buffer.concat([header, data]))
    },
    isOpen: (id) => waiting.has(id),
    cut: () => socket.destroy()
  }
  const device = make(link)
  socket.on(
    "data",
    reader(
      (transfer) => {
        waiting.set(transfer.id, transfer.data.length)
        device.handle(transfer)
      },
      (id, target) => socket.write(answer(unlinked, id, waiting.delete(target) ? connectionReset : 0, 0))
    )
  )
  return { link, device }
}

/** Whether the kernel has let go of the last device on this port; a status of 4 is VDEV_ST_NULL (usbip_common.h). */
const isFree = async (port: number): Promise<boolean> => {
  const controller = controllerOf(port)
  const table = await readFile(`${hub}/status${controller === 0 ? "" : `.${controller}`}`, "utf8")
  return new RegExp(`^hs\\s+0*${kernelPort(port)}\\s+004\\s`, "m").test(table)
}

/** Long enough for a kernel in an emulator, which takes 50 to 300 ms to tear a camera down. */
const untilFree = (port: number) =>
  Effect.promise(() => isFree(port)).pipe(
    Effect.repeat({ schedule: Schedule.spaced("20 millis"), until: (free) => free }),
    Effect.timeoutOption("10 seconds")
  )

/** Plugs a device into a port, 0 to 119, at high speed; the scope's end unplugs it and waits until the port is free. */
export const connect = <A extends Device>(port: number, make: (link: Link) => A) =>
  Effect.acquireRelease(
    Effect.tryPromise(async () => {
      const [ours, theirs] = openPair()
      const socket = new Socket({ fd: ours })
      // the host may be gone in the middle of an answer
      socket.on("error", () => undefined)
      try {
        const connected = makeLink(socket, make)
        // any device id that is not 0: bus and device number on a remote host
        await writeFile(`${hub}/attach`, `${kernelPort(port)} ${theirs} ${0x10000 + port + 1} ${highSpeed}`)
        return connected
      } catch (error) {
        socket.destroy()
        throw error
      } finally {
        // the kernel holds it by itself
        await promisify(close)(theirs)
      }
    }),
    ({ link }) =>
      Effect.tryPromise(() => writeFile(`${hub}/detach`, String(kernelPort(port)))).pipe(
        // the port of a device whose connection was lost is free already
        Effect.ignore,
        Effect.andThen(Effect.sync(link.cut)),
        Effect.andThen(untilFree(port))
      )
  )
