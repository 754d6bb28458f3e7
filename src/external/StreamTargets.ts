import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { monotonicNow } from "../ground/Time.ts"
import { RtspFailed } from "../rtsp/RtspFailed.ts"
import type { RtspTarget } from "../rtsp/Target.ts"
import { OnvifClient } from "./onvif/OnvifClient.ts"
import type { OnvifTarget } from "./onvif/OnvifTarget.ts"
import { type AddressRefused, Reach } from "./Reach.ts"
import { makeRecent } from "./Recent.ts"
import type { StreamUrl } from "./StreamUrl.ts"

type TargetOf = (url: StreamUrl, fingerprint?: string) => Effect.Effect<RtspTarget, RtspFailed | AddressRefused>

/** From the URL that a stream was added by to where its frames are now: ONVIF cameras are asked for that. */
export class StreamTargets extends Context.Service<
  StreamTargets,
  {
    /** what a session needs; `fingerprint`: of the certificate that the stream is known by */
    readonly target: TargetOf
    /** the same for who cannot wait for an ONVIF camera that has told it within two minutes */
    readonly recent: TargetOf
    /** what an ONVIF camera is known by wherever it is: `onvif:SERIAL`; undefined: it does not say, or is none */
    readonly lasting: (url: StreamUrl) => Effect.Effect<string | undefined>
  }
>()("camera-service/external/StreamTargets") {
  static readonly layer = Layer.effect(
    StreamTargets,
    Effect.gen(function* () {
      const reach = yield* Reach
      const onvif = yield* OnvifClient
      /** by the device services' URLs */
      const known = makeRecent<string>(yield* monotonicNow)

      const ask = (text: string, target: OnvifTarget) =>
        onvif.uriOf(target).pipe(
          Effect.tap((uri) => Effect.sync(() => known.set(text, uri))),
          Effect.mapError(({ detail, kind }) => new RtspFailed({ kind, detail }))
        )
      const remembered = (text: string, target: OnvifTarget) =>
        Effect.suspend(() => {
          const last = known.get(text)
          return last === undefined ? ask(text, target) : Effect.succeed(last)
        })

      const atCamera = Effect.fnUntraced(function* (
        url: StreamUrl,
        fingerprint: string | undefined,
        uriAt: typeof ask
      ) {
        const device = yield* reach.target(url)
        const uri = yield* uriAt(url.text, onvifTarget(url, device))
        const { port: told, protocol } = new URL(uri)
        const isSecure = protocol === "rtsps:"
        // who stands between says that too, to see what the password is shown by
        if (!isSecure && fingerprint !== undefined) {
          const detail =
            "its stream was over TLS before, and is no more: remove it and add it again where that is meant"
          return yield* new RtspFailed({ kind: "AUTH_FAILED", detail })
        }
        const port = told === "" ? (isSecure ? 322 : 554) : Number(told)
        // the camera named the port: it might be one of ours, where the camera's address is allowed although it is ours
        const address = yield* reach.addressOf({ host: device.address, port })
        const target: RtspTarget = {
          address,
          port,
          url: uri,
          isSecure,
          ...(isSecure && fingerprint !== undefined ? { fingerprint } : {}),
          ...(device.credentials === undefined ? {} : { credentials: device.credentials })
        }
        return target
      })

      const lasting = Effect.fn("StreamTargets.lasting")(
        function* (url: StreamUrl) {
          if (!isOnvif(url)) return undefined
          const serial = yield* onvif.serialOf(onvifTarget(url, yield* reach.target(url)))
          return serial === "" ? undefined : `onvif:${serial}`
        },
        Effect.catch(() => Effect.undefined)
      )

      const targetBy =
        (uriAt: typeof ask): TargetOf =>
        (url, fingerprint) =>
          isOnvif(url) ? atCamera(url, fingerprint, uriAt) : reach.target(url, fingerprint)

      return StreamTargets.of({ lasting, target: targetBy(ask), recent: targetBy(remembered) })
    })
  )
}

export const isOnvif = ({ scheme }: StreamUrl): boolean => scheme === "http" || scheme === "https"

/** The device service at this URL. */
export const onvifTarget = ({ scheme }: StreamUrl, { address, credentials, port, url }: RtspTarget): OnvifTarget => {
  const { pathname, search } = new URL(url)
  return {
    address,
    port,
    isSecure: scheme === "https",
    path: pathname + search,
    ...(credentials === undefined ? {} : { credentials })
  }
}
