import type { FaultKind } from "../../schema/Camera.ts"
import { DependencyFailed } from "../../schema/Errors.ts"

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
  UNRESPONSIVE: "plug the camera out and in again",
  UNREACHABLE: "look whether the camera is on, in this network, and listens at this port",
  AUTH_FAILED:
    "if the user or the password is wrong, add the stream again with the right ones, which take their place; " +
    "it is asked rarely until then, as cameras lock accounts",
  NOT_FOUND: "look into the camera's manual for the path of its stream, and add that",
  NO_VIDEO: "add another stream of the camera: this one has no video that is known here",
  SESSION_LIMIT: "end another program that watches the camera, or allow it more sessions",
  STALLED: "look at the camera and the network between; it is asked again by itself",
  REDIRECTED: "add the address that it sends to, if it is to be trusted: redirects are not followed",
  PROTOCOL:
    "look at its address: the port, the path, and how it begins (rtsp:// for a stream, rtsps:// with TLS; http:// or https:// " +
    "for an ONVIF camera's device service, mostly /onvif/device_service); if all is right, its firmware may have an update",
  CERTIFICATE_CHANGED:
    "ask whoever runs the camera whether its certificate was changed; if so, remove the stream and add it again, which accepts it"
}

export const faultOf = (kind: FaultKind, detail: string): Fault => ({ kind, detail, suggestion: suggestions[kind] })

/** What was asked of a camera does not work because of its fault. */
export const failedBy = ({ detail, kind, suggestion }: Fault): DependencyFailed =>
  new DependencyFailed({ dependency: "camera", reason: kind, detail, suggestion })
