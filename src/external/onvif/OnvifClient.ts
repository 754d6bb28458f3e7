import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import {
  type DeviceInformation,
  deviceService,
  getCapabilities,
  getDeviceInformation,
  getServices,
  type Media,
  media,
  media2,
  media2Service,
  mediaService,
  type OnvifCall,
  type Profile,
  type Services
} from "./OnvifCalls.ts"
import { asFailure } from "../NetworkInput.ts"
import { Reach } from "../Reach.ts"
import { makeSessions, type OnvifSession } from "./OnvifSession.ts"
import { atDevice, OnvifFailed, type OnvifTarget, type ServiceAddress } from "./OnvifTarget.ts"

/** What a device says of itself; what it does not say, or not in a way that is understood, is in `errors`, for people. */
export interface OnvifDevice {
  readonly information: DeviceInformation | undefined
  readonly streams: ReadonlyArray<Profile>
  /** it wants a user and a password, or others, for some of it */
  readonly isLocked: boolean
  readonly errors: ReadonlyArray<string>
}

/** Where a stream is. */
export interface ToldUri {
  readonly uri: string
  /** SHA-256 of the certificate of who told it, in hex, where that was over TLS */
  readonly fingerprint?: string
}

/** Talks to ONVIF cameras, one call after the other: many have room for no more. */
export class OnvifClient extends Context.Service<
  OnvifClient,
  {
    /** all that a device says; fails where it says nothing at all */
    readonly describe: (target: OnvifTarget) => Effect.Effect<OnvifDevice, OnvifFailed>
    /** its number, which its maker gave it; empty: it tells none */
    readonly serialOf: (target: OnvifTarget) => Effect.Effect<string, OnvifFailed>
    /** where the stream to watch is: the first that is H.264, else the first */
    readonly uriOf: (target: OnvifTarget) => Effect.Effect<ToldUri, OnvifFailed>
  }
>()("camera-service/external/OnvifClient") {
  static readonly layer = Layer.effect(
    OnvifClient,
    Effect.gen(function* () {
      const begin = yield* makeSessions
      const reach = yield* Reach

      /** Where the media service is; where the device does not say it is mostly where all of them are. */
      const mediaOf = Effect.fnUntraced(function* (session: OnvifSession, target: OnvifTarget) {
        const { calls, service } = yield* toldMedia(session, target)
        // the camera named the port: it might be one of ours, where the camera's address is allowed although it is ours
        yield* reach.addressOf({ host: target.address, port: service.port }).pipe(
          Effect.catchTag("AddressRefused", (refused) => Effect.fail(asFailure(refused))),
          Effect.mapError(({ detail, kind }) => new OnvifFailed({ kind, detail }))
        )
        const found: MediaService = { target, calls, ask: (call) => session.ask(call, service) }
        return found
      })

      const describe = Effect.fn("OnvifClient.describe")(function* (target: OnvifTarget) {
        const session = yield* begin(target)
        const failures: Array<OnvifFailed> = session.clockFailure === undefined ? [] : [session.clockFailure]
        const noted = <A>(asked: Effect.Effect<A, OnvifFailed>) =>
          asked.pipe(
            Effect.catch((failure) => {
              failures.push(failure)
              return Effect.undefined
            })
          )
        const information = yield* noted(session.ask(getDeviceInformation, target))
        const profiles = Effect.flatMap(mediaOf(session, target), ({ ask, calls }) => ask(calls.getProfiles))
        const streams = (yield* noted(profiles)) ?? []
        const device: OnvifDevice = {
          information,
          streams,
          isLocked: failures.some(({ kind }) => kind === "AUTH_FAILED"),
          errors: [...new Set(failures.map(({ detail }) => detail))]
        }
        return device
      })

      const serialOf = Effect.fn("OnvifClient.serialOf")(function* (target: OnvifTarget) {
        const { ask } = yield* begin(target)
        return (yield* ask(getDeviceInformation, target)).serial
      })

      const watched = Effect.fn("OnvifClient.uriOf")(function* (target: OnvifTarget) {
        const session = yield* begin(target)
        const service = yield* mediaOf(session, target)
        const profiles = yield* service.ask(service.calls.getProfiles)
        const profile = profiles.find(({ encoding }) => encoding?.toUpperCase() === "H264") ?? profiles[0]
        if (profile === undefined) return yield* new OnvifFailed({ kind: "NO_VIDEO", detail: "it has no profile" })
        const uri = yield* uriOf(service, profile)
        const fingerprint = session.fingerprint()
        return { uri, ...(fingerprint === undefined ? {} : { fingerprint }) }
      })

      return OnvifClient.of({ describe, serialOf, uriOf: watched })
    })
  )
}

/** A device's media service. */
interface MediaService {
  readonly target: OnvifTarget
  readonly calls: Media
  readonly ask: <A>(call: OnvifCall<A>) => Effect.Effect<A, OnvifFailed>
}

const toldMedia = Effect.fnUntraced(function* ({ ask }: OnvifSession, target: OnvifTarget) {
  const told = yield* ask(getServices, target).pipe(
    Effect.catch(() => ask(getCapabilities, target)),
    Effect.result
  )
  const services: Services = Result.getOrElse(told, () => new Map([[deviceService, ""]]))
  const address = services.get(mediaService) ?? services.get(media2Service)
  const service: ServiceAddress = (address === undefined ? undefined : serviceAt(address, target)) ?? target
  const calls = services.has(mediaService) || !services.has(media2Service) ? media : media2
  return { calls, service }
})

const serviceAt = (told: string, target: OnvifTarget): ServiceAddress | undefined => {
  const url = atDevice(told, target, "http:", "https:")
  if (url === undefined) return undefined
  const isSecure = url.protocol === "https:"
  // a password that was meant for a secured connection goes over no other
  if (target.isSecure && !isSecure) return undefined
  return { port: url.port === "" ? (isSecure ? 443 : 80) : Number(url.port), isSecure, path: url.pathname + url.search }
}

const uriOf = Effect.fnUntraced(function* ({ ask, calls, target }: MediaService, profile: Profile) {
  const uri = atDevice(yield* ask(calls.getStreamUri(profile.token)), target, "rtsp:", "rtsps:")
  if (uri !== undefined) return uri.href
  return yield* new OnvifFailed({ kind: "PROTOCOL", detail: `its stream ${profile.name} has no rtsp:// address` })
})
