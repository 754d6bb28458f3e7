import * as Effect from "effect/Effect"
import { AuthFailed, NotFound } from "../../schema/Errors.ts"
import { inScope } from "../auth/CameraScope.ts"
import { Credentials } from "../auth/Credentials.ts"
import { FailedLogins } from "../auth/FailedLogins.ts"
import { isSignature } from "../auth/SignedUrls.ts"
import { Settings } from "../config/Settings.ts"
import { Devices } from "../device/Devices.ts"
import type { RequestHead } from "../ground/Visits.ts"
import type { BrowserProtocol } from "../source/Transcode.ts"
import { cameraOf, playedOver, type StreamName, streamsOf } from "../stream/StreamName.ts"
import { credentialOf } from "./Credential.ts"
import { queryOf } from "./PublicHttp.ts"
import { VisitLimits } from "./VisitLimits.ts"

/** What opens a stream: a header, or `?token=` for who can send none, as on MediaMTX's ports. */
export const streamCredentialOf = (request: RequestHead): string | undefined =>
  credentialOf(request) ?? (queryOf(request).get("token") || undefined)

/** Makes what lets in who may see a camera's stream, with what MediaMTX takes too: a token, a key, a viewing key, a signature. */
export const makeStreamVisitors = Effect.fnUntraced(function* (protocol: BrowserProtocol) {
  const { profile } = (yield* Settings).boot.codec
  const credentials = yield* Credentials
  const failedLogins = yield* FailedLogins
  const devices = yield* Devices
  const { admitStream } = yield* VisitLimits

  /**
   * gives the camera, which of its streams is meant, what was shown, and whom it speaks for; by a camera's name alone the one
   * that browsers play is meant; a camera that may not be seen is not there
   */
  const enter = Effect.fnUntraced(function* (name: StreamName, request: RequestHead) {
    const credential = streamCredentialOf(request)
    if (credential === undefined) return yield* new AuthFailed({ reason: "a token or a key is needed" })
    const over = isSignature(credential) ? ("a signed URL" as const) : ("a stream" as const)
    const login = { address: request.address, credential, over }
    const session = yield* failedLogins.slowed(login, credentials.verifyViewer(credential))
    yield* admitStream(session, request.address)
    const camera = cameraOf(name)
    const device = devices.find(camera)
    if (device === undefined || !inScope(session.cameras, camera) || !streamsOf(device).includes(name)) {
      return yield* new NotFound({ resource: "camera", id: name })
    }
    const stream = name === camera ? playedOver(protocol, profile, device) : name
    return { device, stream, credential, session }
  })

  return {
    enter,
    /** counts who has a player's secret in the address: it is known to MediaMTX alone, which answers */
    follow: (secret: string, { address }: RequestHead) => admitStream(`player ${secret}`, address)
  }
})
