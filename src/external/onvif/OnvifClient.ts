import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  type DeviceInformation,
  getDeviceInformation,
  type Media,
  media,
  media2,
  media2Service,
  mediaService,
  type OnvifCall,
  type Profile,
  ptzService,
  type Services
} from "./OnvifCalls.ts"
import { Reach } from "../Reach.ts"
import { addressOf, checkPort, serviceAt, servicesOf } from "./OnvifServices.ts"
import { makeSessions, type OnvifSession } from "./OnvifSession.ts"
import { atDevice, OnvifFailed, type OnvifTarget, type ServiceAddress } from "./OnvifTarget.ts"
import { type PtzSession, ptzSession } from "./PtzSession.ts"

/** What a device says of itself; what it does not say, or not in a way that is understood, is in `errors`, for people. */
export interface OnvifDevice {
  readonly information: DeviceInformation | undefined
  readonly streams: ReadonlyArray<Profile>
  /** it wants a user and a password, or others, for some of it */
  readonly isLocked: boolean
  readonly errors: ReadonlyArray<string>
}

/** Where a stream is, and whether its camera can be moved. */
export interface ToldUri {
  readonly uri: string
  readonly hasPtz: boolean
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
    /** where it has pictures of that stream (JPEG); the port is yet to be checked */
    readonly snapshotAddressOf: (target: OnvifTarget) => Effect.Effect<ServiceAddress, OnvifFailed>
    /** what has it send a keyframe of that stream */
    readonly openKeyframes: (target: OnvifTarget) => Effect.Effect<Effect.Effect<void, OnvifFailed>, OnvifFailed>
    /** what moves it; undefined: it cannot be moved */
    readonly openPtz: (target: OnvifTarget) => Effect.Effect<PtzSession | undefined, OnvifFailed>
  }
>()("camera-service/external/OnvifClient") {
  static readonly layer = Layer.effect(
    OnvifClient,
    Effect.gen(function* () {
      const begin = yield* makeSessions
      const reach = yield* Reach

      /** Its media service, of whichever kind it has. */
      const mediaOf = Effect.fnUntraced(function* (session: OnvifSession, target: OnvifTarget) {
        const services = yield* servicesOf(session, target)
        const service = addressOf(services.get(mediaService) ?? services.get(media2Service), target)
        yield* checkPort(reach, target, service)
        const found: MediaService = {
          calls: services.has(mediaService) || !services.has(media2Service) ? media : media2,
          ask: (call) => session.ask(call, service),
          services
        }
        return found
      })

      const openPtz = Effect.fn("OnvifClient.openPtz")(function* (target: OnvifTarget) {
        const session = yield* begin(target)
        const { ask, calls, services } = yield* mediaOf(session, target)
        if (!services.has(ptzService)) return undefined
        const profile = movable(yield* ask(calls.getProfiles))
        if (profile === undefined) return undefined
        const service = addressOf(services.get(ptzService), target)
        yield* checkPort(reach, target, service)
        return ptzSession(profile.token, (call) => session.ask(call, service))
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

      const watched = Effect.fnUntraced(function* (session: OnvifSession, target: OnvifTarget) {
        const service = yield* mediaOf(session, target)
        const profiles = yield* service.ask(service.calls.getProfiles)
        const profile = profiles.find(({ encoding }) => encoding?.toUpperCase() === "H264") ?? profiles[0]
        if (profile === undefined) return yield* new OnvifFailed({ kind: "NO_VIDEO", detail: "it has no profile" })
        return { service, profiles, profile }
      })

      const uriOf = Effect.fn("OnvifClient.uriOf")(function* (target: OnvifTarget) {
        const session = yield* begin(target)
        const { profile, profiles, service } = yield* watched(session, target)
        const told = yield* service.ask(service.calls.getStreamUri(profile.token))
        const uri = atDevice(told, target, "rtsp:", "rtsps:")
        if (uri === undefined) return yield* noAddress(profile, "rtsp:// address")
        const fingerprint = session.fingerprint()
        const hasPtz = service.services.has(ptzService) && movable(profiles) !== undefined
        return { uri: uri.href, hasPtz, ...(fingerprint === undefined ? {} : { fingerprint }) }
      })

      const snapshotAddressOf = Effect.fn("OnvifClient.snapshotAddressOf")(function* (target: OnvifTarget) {
        const { profile, service } = yield* watched(yield* begin(target), target)
        const address = serviceAt(yield* service.ask(service.calls.getSnapshotUri(profile.token)), target)
        return address ?? (yield* noAddress(profile, "address for pictures"))
      })

      const openKeyframes = Effect.fn("OnvifClient.openKeyframes")(function* (target: OnvifTarget) {
        const { profile, service } = yield* watched(yield* begin(target), target)
        return Effect.asVoid(service.ask(service.calls.setSynchronizationPoint(profile.token)))
      })

      return OnvifClient.of({ describe, serialOf, uriOf, snapshotAddressOf, openKeyframes, openPtz })
    })
  )
}

/** A device's media service. */
interface MediaService {
  readonly calls: Media
  readonly ask: <A>(call: OnvifCall<A>) => Effect.Effect<A, OnvifFailed>
  readonly services: Services
}

/** The profile by which a camera is moved. */
const movable = (profiles: ReadonlyArray<Profile>): Profile | undefined => profiles.find(({ hasPtz }) => hasPtz)

const noAddress = ({ name }: Profile, what: string) =>
  new OnvifFailed({ kind: "PROTOCOL", detail: `its stream ${name} has no ${what}` })
