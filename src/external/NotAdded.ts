import * as Effect from "effect/Effect"
import type { CameraId } from "../../schema/Camera.ts"
import { InvalidParams, InvalidState } from "../../schema/Errors.ts"
import { failedBy, faultOf } from "../device/Fault.ts"
import type { RtspFailed } from "../rtsp/RtspFailed.ts"
import type { AddressRefused } from "./Reach.ts"

/** Why a stream is not added. */

/** What may be otherwise when the camera is on, is free, or has begun to stream. */
export const isForNow = ({ kind }: RtspFailed): boolean =>
  kind === "UNREACHABLE" || kind === "STALLED" || kind === "SESSION_LIMIT" || kind === "NOT_FOUND"

export const refused = ({ detail, kind }: RtspFailed) => Effect.fail(failedBy(faultOf(kind, detail)))

export const noCameraThere = ({ why }: AddressRefused) =>
  new InvalidParams({
    param: "stream_url",
    rule: "no loopback, link-local, multicast, reserved or cloud metadata address, and none of this machine",
    hint: `it is ${why}: external.allowed_hosts allows addresses all the same, this service's own ports apart`
  })

export const alreadyAdded = (device: CameraId | undefined) =>
  new InvalidState({
    state: "ADDED",
    allowed_states: ["NOT_ADDED"],
    ...(device === undefined ? {} : { details: `it is ${device}` }),
    suggestion:
      "give another user or password in its URL to have them replaced; remove it first where its name or its type is to be another"
  })

export const tooMany = (most: number) =>
  new InvalidState({
    state: `${most} streams are added`,
    allowed_states: [`fewer than ${most}`],
    suggestion: "remove some that nobody needs"
  })
