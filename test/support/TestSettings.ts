import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Settings, settingsSchema } from "../../src/config/Settings.ts"
import { freePorts } from "./FreePorts.ts"

type Section = keyof Settings["Service"]
type Overrides = { readonly [S in Section]?: Readonly<Record<string, unknown>> | string }

const sections: ReadonlyArray<Section> = [
  "server",
  "health",
  "mediamtx",
  "ffmpeg",
  "cameras",
  "codec",
  "streams",
  "snapshots",
  "recording",
  "auth",
  "telemetry"
]

/** The defaults, with some keys set as the YAML file would. */
export const testSettings = (overrides: Overrides = {}): Settings["Service"] =>
  Schema.decodeUnknownSync(settingsSchema)({
    ...Object.fromEntries(sections.map((section) => [section, {}])),
    ...overrides
  })

/** The defaults on free ports of loopback. */
export const settingsOnFreePorts = (overrides: Overrides = {}) =>
  Effect.map(freePorts(7), ([health, api, rtsp, hls, webrtc, webrtcUdp, playback]) =>
    testSettings({
      ...overrides,
      health: { port: health },
      mediamtx: {
        api_port: api,
        rtsp_port: rtsp,
        hls_port: hls,
        webrtc_port: webrtc,
        webrtc_udp_port: webrtcUdp,
        playback_port: playback,
        ...(typeof overrides.mediamtx === "object" ? overrides.mediamtx : {})
      }
    })
  )
