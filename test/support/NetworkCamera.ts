import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Sent } from "../../src/device/Input.ts"
import { Devices } from "../../src/device/Devices.ts"
import { networkInput } from "../../src/external/NetworkInput.ts"
import { monotonicNow } from "../../src/ground/Time.ts"
import type { RtspTarget } from "../../src/rtsp/Target.ts"
import { Trials } from "../../src/rtsp/Trials.ts"

export const url = "rtsp://192.168.42.10:554/subject"

export const target: RtspTarget = { address: "192.168.42.10", port: 554, url, isSecure: false }

export const login = { user: "operator", password: "canary of a camera" }

/** The same camera, asked with its login, of which nothing is known yet. */
export const withLogin = Effect.map(monotonicNow, (now): RtspTarget => ({
  ...target,
  credentials: {
    user: login.user,
    password: Redacted.make(login.password),
    mayBeSentInClear: false,
    trials: new Trials(now)
  }
}))

/** Attaches a camera that streams by itself, as long as the scope lives; `sends`: what it was seen to send. */
export const attachCamera = Effect.fnUntraced(function* (at: RtspTarget = target, sends?: Sent) {
  const devices = yield* Devices
  const input = { ...networkInput(at.url, Effect.succeed(at), undefined), ...(sends === undefined ? {} : { sends }) }
  return yield* devices.attach({
    input,
    identity: { position: at.url },
    name: "EO camera",
    formats: [{ pixelFormat: "H264", sizes: [{ width: 640, height: 480, rates: [10] }] }]
  })
})
