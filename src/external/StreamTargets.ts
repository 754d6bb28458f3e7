import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { monotonicNow } from "../ground/Time.ts"
import { RtspFailed } from "../rtsp/RtspFailed.ts"
import type { RtspTarget } from "../rtsp/Target.ts"
import { OnvifClient, type ToldUri } from "./onvif/OnvifClient.ts"
import type { OnvifTarget } from "./onvif/OnvifTarget.ts"
import { type AddressRefused, Reach } from "./Reach.ts"
import { makeRecent } from "./Recent.ts"
import type { StreamUrl } from "./StreamUrl.ts"

/** SHA-256 of the certificates that a camera is known by over TLS, in hex. */
export interface Pins {
  /** that of its stream */
  readonly fingerprint?: string
  /** that of its device service (ONVIF) */
  readonly deviceFingerprint?: string
}

/** What a session needs, and what the device service (ONVIF) told beside: by which certificate it is known. */
export interface StreamTarget extends RtspTarget {
  readonly deviceFingerprint?: string
  /** it can be moved */
  readonly hasPtz?: boolean
}

type TargetOf = (url: StreamUrl, pins: Pins) => Effect.Effect<StreamTarget, RtspFailed | AddressRefused>

/** From the URL that a stream was added by to where its frames are now: ONVIF cameras are asked for that. */
export class StreamTargets extends Context.Service<
  StreamTargets,
  {
    /** what a session needs */
    readonly target: TargetOf
    /** the same for who cannot wait for an ONVIF camera that has told it within two minutes */
    readonly recent: TargetOf
    /** what an ONVIF camera is known by wherever it is: `onvif:SERIAL`; undefined: it does not say, or is none */
    readonly lasting: (url: StreamUrl, pins: Pins) => Effect.Effect<string | undefined>
  }
>()("camera-service/external/StreamTargets") {
  static readonly layer = Layer.effect(
    StreamTargets,
    Effect.gen(function* () {
      const reach = yield* Reach
      const onvif = yield* OnvifClient
      /** by the device services' URLs */
      const known = makeRecent<ToldUri>(yield* monotonicNow)

      const ask = (text: string, target: OnvifTarget) =>
        onvif.uriOf(target).pipe(
          Effect.tap((told) => Effect.sync(() => known.set(text, told))),
          Effect.mapError(({ detail, kind }) => new RtspFailed({ kind, detail }))
        )
      const remembered = (text: string, target: OnvifTarget): Effect.Effect<ToldUri, RtspFailed> =>
        Effect.suspend(() => {
          const last = known.get(text)
          return last === undefined ? ask(text, target) : Effect.succeed(last)
        })

      const atCamera = Effect.fnUntraced(function* (
        url: StreamUrl,
        { deviceFingerprint, fingerprint }: Pins,
        uriAt: typeof remembered
      ) {
        const device = yield* reach.target(url, deviceFingerprint)
        const { fingerprint: toldBy, hasPtz, uri } = yield* uriAt(url.text, onvifTarget(url, device))
        const { port: told, protocol } = new URL(uri)
        const isSecure = protocol === "rtsps:"
        // who stands between says that too, to see what the password is shown by
        if (!isSecure && fingerprint !== undefined) {
          const detail =
            "its stream was over TLS before, and is no more: remove it and add it again where that is meant"
          return yield* new RtspFailed({ kind: "CERTIFICATE_CHANGED", detail })
        }
        const port = told === "" ? (isSecure ? 322 : 554) : Number(told)
        // the camera named the port: it might be one of ours, where the camera's address is allowed although it is ours
        const address = yield* reach.addressOf({ host: device.address, port })
        const target: StreamTarget = {
          address,
          port,
          url: uri,
          isSecure,
          hasPtz,
          ...(isSecure && fingerprint !== undefined ? { fingerprint } : {}),
          ...(toldBy === undefined ? {} : { deviceFingerprint: toldBy }),
          ...(device.credentials === undefined ? {} : { credentials: device.credentials })
        }
        return target
      })

      const lasting = Effect.fn("StreamTargets.lasting")(
        function* (url: StreamUrl, { deviceFingerprint }: Pins) {
          if (!isOnvif(url)) return undefined
          const serial = yield* onvif.serialOf(onvifTarget(url, yield* reach.target(url, deviceFingerprint)))
          return serial === "" ? undefined : `onvif:${serial}`
        },
        Effect.catch(() => Effect.undefined)
      )

      const targetBy =
        (uriAt: typeof remembered): TargetOf =>
        (url, pins) =>
          isOnvif(url) ? atCamera(url, pins, uriAt) : reach.target(url, pins.fingerprint)

      return StreamTargets.of({ lasting, target: targetBy(ask), recent: targetBy(remembered) })
    })
  )
}

export const isOnvif = ({ scheme }: StreamUrl): boolean => scheme === "http" || scheme === "https"

/** The device service at this URL. */
export const onvifTarget = (
  { scheme }: StreamUrl,
  { address, credentials, fingerprint, port, url }: RtspTarget
): OnvifTarget => {
  const { pathname, search } = new URL(url)
  return {
    address,
    port,
    isSecure: scheme === "https",
    path: pathname + search,
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(credentials === undefined ? {} : { credentials })
  }
}
