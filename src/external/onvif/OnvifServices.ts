import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { asFailure } from "../NetworkInput.ts"
import type { Reach } from "../Reach.ts"
import { deviceService, getCapabilities, getServices, type Services } from "./OnvifCalls.ts"
import type { OnvifSession } from "./OnvifSession.ts"
import { atDevice, OnvifFailed, type OnvifTarget, type ServiceAddress } from "./OnvifTarget.ts"

/** The services of a device, as far as it tells them. */
export const servicesOf = Effect.fnUntraced(function* ({ ask }: OnvifSession, target: OnvifTarget) {
  const told = yield* ask(getServices, target).pipe(
    Effect.catch(() => ask(getCapabilities, target)),
    Effect.result
  )
  return Result.getOrElse(told, (): Services => new Map([[deviceService, ""]]))
})

/** Where one of them is; where the device does not say it is mostly where all of them are. */
export const addressOf = (told: string | undefined, target: OnvifTarget): ServiceAddress =>
  (told === undefined ? undefined : serviceAt(told, target)) ?? target

/** Undefined: nowhere that it may be asked. */
export const serviceAt = (told: string, target: OnvifTarget): ServiceAddress | undefined => {
  const url = atDevice(told, target, "http:", "https:")
  if (url === undefined) return undefined
  const isSecure = url.protocol === "https:"
  // a password that was meant for a secured connection goes over no other
  if (target.isSecure && !isSecure) return undefined
  return { port: url.port === "" ? (isSecure ? 443 : 80) : Number(url.port), isSecure, path: url.pathname + url.search }
}

/** The camera named the port: it might be one of ours, where the camera's address is allowed although it is ours. */
export const checkPort = (reach: Reach["Service"], { address }: OnvifTarget, { port }: ServiceAddress) =>
  reach.addressOf({ host: address, port }).pipe(
    Effect.catchTag("AddressRefused", (refused) => Effect.fail(asFailure(refused))),
    Effect.mapError(({ detail, kind }) => new OnvifFailed({ kind, detail }))
  )
