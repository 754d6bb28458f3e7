import type { FaultKind } from "../../schema/Camera.ts"
import type { ExternalStream } from "../../schema/External.ts"
import type { Described } from "../rtsp/Probe.ts"
import type { RtspFailed } from "../rtsp/RtspFailed.ts"
import { carriedIn, isSame, withSeen } from "./Carried.ts"
import type { AddedStream } from "./StreamFiles.ts"
import type { StreamTarget } from "./StreamTargets.ts"

/** What follows from how a camera of the network answered. Pure. */

/** What a camera says of its stream, and of itself by its device service (ONVIF). */
export type Told = Described & Pick<StreamTarget, "deviceFingerprint" | "hasPtz">

/** How a camera answered when it was asked last. */
export type Answer = Told | RtspFailed

/**
 * An idle camera is asked whether it is there so often, in milliseconds; one that is away at first, and at most. A password
 * that was refused may be shown again after 5 min (`Trials`), and this varies by a tenth.
 */
const pauses = { idle: 60_000, firstAway: 2000, longestAway: 30_000, refused: 340_000 }
/** What is learnt beside what a stream carries, and kept. */
export const lastingKeys = ["fingerprint", "deviceFingerprint", "hasPtz"] as const

/** Whether it would answer may be otherwise in a moment; the other faults need somebody to do something. */
const isPassing = (kind: FaultKind): boolean => kind === "UNREACHABLE" || kind === "STALLED"

export const statusOf = (fault: FaultKind | undefined, isThere: boolean): ExternalStream["status"] => {
  if (fault === undefined) return isThere ? "ONLINE" : "OFFLINE"
  return isPassing(fault) ? "OFFLINE" : "ERROR"
}

export const pauseAfter = (fault: FaultKind | undefined, failures: number): number => {
  if (fault === undefined) return pauses.idle
  if (fault === "AUTH_FAILED") return pauses.refused
  return Math.min(pauses.longestAway, pauses.firstAway * 2 ** Math.max(0, failures - 1))
}

/** What is the same stays the same object; a certificate, once seen, is the camera's. */
export const withAnswer = (stream: AddedStream, told: Told, lastSeen: number): AddedStream => {
  const carried = withSeen(carriedIn(told), stream.carried)
  const fingerprint = stream.fingerprint ?? told.fingerprint
  const deviceFingerprint = stream.deviceFingerprint ?? told.deviceFingerprint
  return {
    ...stream,
    lastSeen,
    ...(isSame(stream.carried, carried) ? {} : { carried }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(deviceFingerprint === undefined ? {} : { deviceFingerprint }),
    ...(told.hasPtz === undefined ? {} : { hasPtz: told.hasPtz })
  }
}
