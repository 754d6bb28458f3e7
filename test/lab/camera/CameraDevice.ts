import { hash } from "node:crypto"
import type { CameraSpec } from "./CameraSpec.ts"
import { makeControls, refusal, request } from "./Controls.ts"
import {
  cameraTerminal,
  configurationDescriptor,
  controlInterface,
  deviceDescriptor,
  microphoneString,
  payloadBytes,
  processingUnit,
  streamingInterface,
  stringDescriptor,
  videoEndpoint
} from "./Descriptors.ts"
import type { Frames } from "./Frames.ts"
import { type Agreement, firstAgreement, readAgreement, writeAgreement } from "./Negotiation.ts"
import { type Link, noSpace, stalled, type Transfer } from "./UsbIp.ts"

/** The camera's side of USB and of the USB Video Class: requests and answers, and frames as payloads. It knows no time. */
export interface CameraDevice {
  readonly handle: (transfer: Transfer) => void
  /** It is time for a frame: it goes out, unless the last one is still on its way (that one is lost, as in any camera). */
  readonly sendFrame: () => void
  /** of the stream that runs; undefined while none does */
  readonly rate: () => number | undefined
  readonly framesSent: () => number
  /** whether these are the bytes of a frame that it sent; H.264 aside */
  readonly sentThis: (bytes: Buffer) => boolean
  readonly breakFrames: (on: boolean) => void
  /** Requests to controls wait from now on, or are answered, those that have waited too. */
  readonly hangControls: (on: boolean) => void
  readonly delayControls: (milliseconds: number) => void
  /** Whether the kernel waits for the microphone. */
  readonly isWaitedFor: () => boolean
  /** The microphone answers. */
  readonly answerMicrophone: () => void
}

/** bmRequestType and bRequest: USB 2.0, tables 9-2 and 9-4 */
const fromDevice = 0x80
const isStandard = (type: number): boolean => (type & 0x60) === 0
const endpointRecipient = 0x02
const standard = {
  getStatus: 0,
  clearFeature: 1,
  getDescriptor: 6,
  getConfiguration: 8,
  getInterface: 10,
  setInterface: 11
}

/** USB Video Class 1.1: A.9.1, A.9.7 */
const errorCodeSelector = 0x02
const probeSelector = 0x01
const commitSelector = 0x02

/** Payload headers: 2.4.3.3, bit 0 alternates with each frame. */
const headerBytes = 2
const endOfHeader = 0x80
const endOfFrame = 0x02

const digestOf = (bytes: Buffer): string => hash("sha1", bytes)

const done = 0
const withDefault = (buffer: Buffer | undefined): Buffer | number => buffer ?? stalled

export const makeCameraDevice = (spec: CameraSpec, frames: Frames, link: Link, onStart: () => void): CameraDevice => {
  const controls = makeControls(spec.controls ?? [])
  let lastError = refusal.none
  let probed = firstAgreement(spec)
  let committed = probed
  let streaming: Agreement | undefined
  let dark = 0
  let broken = false
  let number = 0
  let frameBit = 0
  const sent = new Set<string>()
  /** transfers that wait for payloads, and the other way round */
  let waiting: Array<number> = []
  let payloads: Array<Buffer> = []
  let hanging: Array<() => void> | undefined
  let delay = 0
  let microphone: { readonly id: number; readonly answer: () => void } | undefined

  const start = (agreement: Agreement): void => {
    streaming = agreement
    dark = agreement.format.pixelFormat === "H264" ? 0 : (spec.darkFrames ?? 0)
    number = frames.firstNumber(agreement, number)
    onStart()
  }
  const stop = (): void => {
    streaming = undefined
    payloads = []
    waiting = []
  }

  const pump = (): void => {
    while (payloads.length > 0) {
      const id = waiting.shift()
      if (id === undefined) return
      // the host may have taken it back
      if (link.isOpen(id)) link.complete(id, done, payloads.shift())
    }
  }

  const sendFrame = (): void => {
    if (streaming === undefined || payloads.length > 0) return
    const frame = broken ? frames.brokenFrame : dark > 0 ? frames.darkFrame(streaming) : frames.frame(streaming, number)
    dark = Math.max(0, dark - 1)
    number++
    if (streaming.format.pixelFormat !== "H264") sent.add(digestOf(frame))
    const room = payloadBytes - headerBytes
    for (let from = 0; from < frame.length; from += room) {
      const last = from + room >= frame.length ? endOfFrame : 0
      const header = Buffer.from([headerBytes, endOfHeader | last | frameBit])
      payloads.push(Buffer.concat([header, frame.subarray(from, from + room)]))
    }
    frameBit ^= 1
    pump()
  }

  const descriptor = (type: number, index: number): Buffer | number => {
    if (type === 1) return deviceDescriptor(spec)
    if (type === 2) return configurationDescriptor(spec)
    return type === 3 ? withDefault(stringDescriptor(spec, index)) : stalled
  }

  const answerStandard = (type: number, code: number, value: number, index: number): Buffer | number => {
    if ((type & fromDevice) !== 0) {
      if (code === standard.getDescriptor) return descriptor(value >> 8, value & 0xff)
      if (code === standard.getStatus) return Buffer.from([0, 0])
      return code === standard.getConfiguration || code === standard.getInterface ? Buffer.from([0]) : stalled
    }
    // this is how the kernel ends a stream over a bulk endpoint (uvc_video_stop_streaming)
    if (code === standard.clearFeature && type === endpointRecipient) stop()
    // what a host answers itself when the bus is full; the kernel gives the status on as it comes (usb_set_interface)
    const asksForBandwidth = code === standard.setInterface && index === streamingInterface && value > 0
    return asksForBandwidth && spec.busFull === true ? noSpace : done
  }

  const answerStreaming = (code: number, selector: number, data: Buffer): Buffer | number => {
    if (selector !== probeSelector && selector !== commitSelector) return stalled
    if (code === request.setCurrent) {
      const agreement = readAgreement(spec, data)
      if (agreement === undefined) return stalled
      if (selector === probeSelector) {
        probed = agreement
      } else {
        committed = agreement
        if (spec.busFull !== true) start(agreement)
      }
      return done
    }
    const agreement =
      code === request.current ? (selector === probeSelector ? probed : committed) : firstAgreement(spec)
    if (code === request.info) return Buffer.from([0x03])
    if (agreement === undefined) return stalled
    const bytes = writeAgreement(spec, agreement)
    return code === request.length ? Buffer.from([bytes.length, 0]) : bytes
  }

  const answerControl = (unit: number, code: number, selector: number, data: Buffer): Buffer | number => {
    if (unit === 0 && selector === errorCodeSelector) return Buffer.from([lastError])
    const name = unit === cameraTerminal ? "terminal" : unit === processingUnit ? "processing" : undefined
    if (name === undefined) return stalled
    const answer = code === request.setCurrent ? controls.set(name, selector, data) : controls.get(name, selector, code)
    lastError = typeof answer === "number" ? answer : refusal.none
    return answer === refusal.none ? done : typeof answer === "number" ? stalled : answer
  }

  const handleControl = ({ data, id, setup }: Transfer): void => {
    const [type, code] = [setup.readUInt8(0), setup.readUInt8(1)]
    const [value, index, length] = [setup.readUInt16LE(2), setup.readUInt16LE(4), setup.readUInt16LE(6)]
    const [target, unit] = [index & 0xff, index >> 8]
    const reply = (answer: Buffer | number): void =>
      typeof answer === "number" ? link.complete(id, answer) : link.complete(id, done, answer.subarray(0, length))
    if (spec.slowMicrophone === true && isStandard(type) && value === ((3 << 8) | microphoneString)) {
      microphone = { id, answer: () => reply(answerStandard(type, code, value, index)) }
    } else if (isStandard(type)) {
      reply(answerStandard(type, code, value, index))
    } else if (target === streamingInterface) {
      reply(answerStreaming(code, value >> 8, data))
    } else if (target === controlInterface) {
      const act = () => reply(answerControl(unit, code, value >> 8, data))
      if (hanging !== undefined) hanging.push(act)
      else if (delay > 0) setTimeout(act, delay).unref()
      else act()
    } else {
      link.complete(id, stalled)
    }
  }

  return {
    handle: (transfer) => {
      if (transfer.endpoint === videoEndpoint) {
        waiting.push(transfer.id)
        pump()
      } else {
        handleControl(transfer)
      }
    },
    sendFrame,
    rate: () => streaming?.rate,
    framesSent: () => number,
    sentThis: (bytes) => sent.has(digestOf(bytes)),
    breakFrames: (on) => {
      broken = on
    },
    hangControls: (on) => {
      const held = hanging ?? []
      hanging = on ? held : undefined
      if (!on) for (const act of held) act()
    },
    delayControls: (milliseconds) => {
      delay = milliseconds
    },
    // the kernel gives up after 5 s (USB_CTRL_GET_TIMEOUT)
    isWaitedFor: () => microphone !== undefined && link.isOpen(microphone.id),
    answerMicrophone: () => {
      microphone?.answer()
      microphone = undefined
    }
  }
}
