import type { CameraStatus, FaultKind } from "../../schema/Camera.ts"
import type { ServiceStatus } from "../../schema/System.ts"

/** What went wrong, in a sentence for people, and what to do about it. */
export interface Trouble {
  readonly what: string
  readonly advice?: string | undefined
}

interface Told {
  readonly _tag?: string
  readonly message?: string
  readonly [key: string]: unknown
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined)

/** Of an error of the service or its client, or of whatever was thrown. */
export const troubleOf = (error: unknown): Trouble => {
  if (typeof error !== "object" || error === null) return { what: String(error) }
  const told = error as Told
  const said = text(told["suggestion"])
  const advice = said === undefined ? undefined : sentence(said)
  switch (told._tag) {
    case "PermissionDenied":
      return {
        what: `Your role may not do this: it needs ${String(told["required_role"])}.`,
        advice: "Log in with another token."
      }
    case "NotFound":
      return { what: `There is no ${String(told["resource"])} ${String(told["id"])} (any more).`, advice }
    case "DependencyFailed":
      return { what: sentence(text(told["detail"]) ?? "A part of the service failed"), advice }
    case "InvalidParams":
      return { what: `${String(told["param"])}: ${String(told["rule"])}.`, advice: text(told["hint"]) }
    case "InvalidState":
      return { what: `Not possible while it is ${String(told["state"])}.`, advice }
    case "RateLimited":
      return { what: "Too many requests.", advice: `Try again in ${Number(told["retry_after_ms"])} ms.` }
    case "AuthFailed":
      return { what: sentence(`Not accepted: ${String(told["reason"])}`), advice }
    default:
      return { what: sentence(text(told.message) ?? "Something unexpected went wrong"), advice }
  }
}

export const sentence = (words: string): string => {
  const begun = words.charAt(0).toUpperCase() + words.slice(1)
  return /[.!?]$/.test(begun) ? begun : `${begun}.`
}

export const statusWords: Readonly<Record<CameraStatus, string>> = {
  CONNECTED: "Connected",
  DISCONNECTED: "Not connected",
  ERROR: "Fault"
}

export const serviceWords: Readonly<Record<ServiceStatus["status"], string>> = {
  HEALTHY: "Healthy",
  DEGRADED: "Degraded",
  UNHEALTHY: "Unhealthy"
}

/** FFmpeg's own words stand in brackets behind those for people (`stream/FfmpegEnd.ts`). */
export const saidIn = (text: string): { readonly words: string; readonly detail: string | undefined } => {
  const [, words = text, detail] = /^(.*) \((ffmpeg (?:ended|was) .*)\)$/s.exec(text) ?? []
  return { words, detail }
}

/** A part of the service that tells how it is. */
export type Component = keyof ServiceStatus["components"]

export const partNames: Readonly<Record<Component, string>> = {
  websocket_server: "JSON-RPC",
  camera_monitor: "Camera monitor",
  mediamtx: "MediaMTX"
}

export const faultWords: Readonly<Record<FaultKind, string>> = {
  BUSY: "In use by another program",
  NO_PERMISSION: "May not be opened",
  NO_BANDWIDTH: "No room on its USB bus",
  FROZEN: "Sends no frames",
  WRONG_DATA: "Sends no video",
  UNRESPONSIVE: "Does not answer",
  UNREACHABLE: "Cannot be reached",
  AUTH_FAILED: "Refuses the password",
  NOT_FOUND: "No such stream",
  NO_VIDEO: "No video in its stream",
  SESSION_LIMIT: "Serves no more viewers",
  STALLED: "Stopped sending",
  REDIRECTED: "Points elsewhere",
  PROTOCOL: "Is not understood",
  CERTIFICATE_CHANGED: "Shows another certificate"
}
