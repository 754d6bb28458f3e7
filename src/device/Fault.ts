import type { FaultKind } from "../../schema/Camera.ts"

/** What is wrong with a camera that is plugged in. */
export interface Fault {
  readonly kind: FaultKind
  /** what was seen, for people: `opened by obs (process 812)` */
  readonly detail: string
  /** what to do about it */
  readonly suggestion: string
}

const suggestions: Readonly<Record<FaultKind, string>> = {
  BUSY: "close the other program, or leave the camera to it; it is used again as soon as it is free",
  NO_PERMISSION: "add the service's user to the node's group (usually video), or mend the udev rule that sets its mode",
  NO_BANDWIDTH: "plug the camera into another USB controller, or have fewer cameras run at once on this one",
  FROZEN: "look at the cable and the hub; plug the camera out and in again if it does not recover by itself",
  WRONG_DATA: "look at the cable; a camera that goes on like this is broken, or its firmware is",
  UNRESPONSIVE: "plug the camera out and in again"
}

export const faultOf = (kind: FaultKind, detail: string): Fault => ({ kind, detail, suggestion: suggestions[kind] })
