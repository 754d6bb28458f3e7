import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import { urlAuthority } from "../config/Hosts.ts"
import { Network } from "../ground/Network.ts"
import { monotonicNow } from "../ground/Time.ts"
import { jpegSize, splitter, withTables } from "../media/Jpeg.ts"
import { makeLogin } from "../rtsp/Login.ts"
import { failureOf } from "../rtsp/Refusal.ts"
import { RtspFailed } from "../rtsp/RtspFailed.ts"
import { maxPixels } from "../source/FfmpegArguments.ts"
import { OnvifClient } from "./onvif/OnvifClient.ts"
import type { OnvifTarget, ServiceAddress } from "./onvif/OnvifTarget.ts"
import { type AddressRefused, Reach } from "./Reach.ts"
import { makeRecent } from "./Recent.ts"
import { onvifTarget, type Pins } from "./StreamTargets.ts"
import type { StreamUrl } from "./StreamUrl.ts"
import { webFault } from "./WebFault.ts"

/** Bytes; JPEG of an 8K camera has about as many. */
const maxPictureBytes = 8 << 20
/** Without a login, with one, and with another nonce. */
const maxAsked = 3

/** The pictures that ONVIF cameras give at an address, without streaming. */
export class CameraPictures extends Context.Service<
  CameraPictures,
  {
    /**
     * A picture of now, by the camera's device service; a whole JPEG of a size that cameras have. Of a camera that is known
     * by a certificate it comes over TLS, with that of the device service.
     */
    readonly pictureOf: (url: StreamUrl, pins: Pins) => Effect.Effect<Buffer, RtspFailed | AddressRefused>
  }
>()("camera-service/external/CameraPictures") {
  static readonly layer = Layer.effect(
    CameraPictures,
    Effect.gen(function* () {
      const network = yield* Network
      const onvif = yield* OnvifClient
      const reach = yield* Reach
      const known = makeRecent<ServiceAddress>(yield* monotonicNow)

      const addressOf = Effect.fnUntraced(function* (text: string, target: OnvifTarget) {
        const recent = known.get(text)
        if (recent !== undefined) return recent
        const address = yield* Effect.mapError(
          onvif.snapshotAddressOf(target),
          ({ detail, kind }) => new RtspFailed({ kind, detail })
        )
        known.set(text, address)
        return address
      })

      const get = Effect.fnUntraced(function* (target: OnvifTarget, { isSecure, path, port }: ServiceAddress) {
        const { address, credentials, fingerprint } = target
        const cnonce = (yield* Random.nextIntBetween(0, 2 ** 32)).toString(16).padStart(8, "0")
        const isKnown = isSecure && fingerprint !== undefined
        // over TLS too a password goes as a digest alone where the certificate may be anybody's
        const login = makeLogin({ isSecure: isKnown, ...(credentials === undefined ? {} : { credentials }) }, cnonce)
        yield* Effect.addFinalizer(() => Effect.sync(login.end))
        for (let asked = 0; asked < maxAsked; asked++) {
          const authorization = login.sign("GET", path)
          const reply = yield* network
            .exchange({
              address,
              port,
              isSecure,
              method: "GET",
              target: path,
              maxBytes: maxPictureBytes,
              headers: {
                host: urlAuthority(address, port),
                ...(authorization === undefined ? {} : { authorization })
              },
              ...(isKnown ? { fingerprint } : {})
            })
            .pipe(Effect.mapError((cause) => new RtspFailed(webFault(cause))))
          const headers = new Map([["www-authenticate", reply.challenges]])
          if (reply.status === 401) {
            yield* login.refused({ headers }, authorization !== undefined)
            continue
          }
          if (authorization !== undefined) login.accepted()
          if (reply.status === 200) return Buffer.from(reply.body.buffer, reply.body.byteOffset, reply.body.byteLength)
          return yield* failureOf("GET", { status: reply.status, headers })
        }
        return yield* new RtspFailed({ kind: "AUTH_FAILED", detail: "it wants another nonce again and again" })
      }, Effect.scoped)

      const pictureOf = Effect.fn("CameraPictures.pictureOf")(function* (
        url: StreamUrl,
        { deviceFingerprint, fingerprint }: Pins
      ) {
        const target = onvifTarget(url, yield* reach.target(url, deviceFingerprint))
        const address = yield* addressOf(url.text, target)
        const isPinned = deviceFingerprint !== undefined || fingerprint !== undefined
        // who stands between may show any picture
        if (isPinned && !(address.isSecure && deviceFingerprint !== undefined)) {
          return yield* new RtspFailed({
            kind: "AUTH_FAILED",
            detail: "it is known by a certificate, which its pictures do not come with"
          })
        }
        // the camera named the port: it might be one of ours, where the camera's address is allowed although it is ours
        yield* reach.addressOf({ host: target.address, port: address.port })
        const body = yield* Effect.tapError(get(target, address), () => Effect.sync(() => known.forget(url.text)))
        const jpeg = wholeJpeg(body)
        if (jpeg === undefined) {
          return yield* new RtspFailed({
            kind: "PROTOCOL",
            detail: "what it has at its address for pictures is no picture"
          })
        }
        return jpeg
      })

      return CameraPictures.of({ pictureOf })
    })
  )
}

/** What stands behind its end is left out; undefined: it is none, is not whole, or larger than any camera's. */
const wholeJpeg = (body: Buffer): Buffer | undefined => {
  if (body[0] !== 0xff || body[1] !== 0xd8) return undefined
  const [jpeg] = splitter().push(body)
  const size = jpeg === undefined ? undefined : jpegSize(jpeg)
  if (jpeg === undefined || size === undefined || size.width * size.height > maxPixels) return undefined
  return withTables(jpeg)
}
