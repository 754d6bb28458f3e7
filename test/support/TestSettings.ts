import * as Effect from "effect/Effect"
import type { Boot } from "../../src/config/BootSettings.ts"
import type { Live } from "../../src/config/LiveSettings.ts"
import { makeSettings, type Settings } from "../../src/config/Settings.ts"
import { freePorts } from "./FreePorts.ts"

export type Overrides = { readonly [S in keyof Boot | keyof Live]?: Readonly<Record<string, unknown>> | string }

/** The defaults, with some keys set as the YAML file would. */
export const testSettings = (overrides: Overrides = {}): Settings["Service"] => Effect.runSync(makeSettings(overrides))

/** The defaults on free ports of loopback. */
export const settingsOnFreePorts = (overrides: Overrides = {}) =>
  Effect.map(freePorts(9), ([server, health, api, rtsp, hls, webrtc, webrtcUdp, webrtcTcp, playback]) =>
    testSettings({
      ...overrides,
      server: { port: server, ...(typeof overrides.server === "object" ? overrides.server : {}) },
      health: { port: health },
      mediamtx: {
        api_port: api,
        rtsp_port: rtsp,
        hls_port: hls,
        webrtc_port: webrtc,
        webrtc_udp_port: webrtcUdp,
        webrtc_tcp_port: webrtcTcp,
        playback_port: playback,
        ...(typeof overrides.mediamtx === "object" ? overrides.mediamtx : {})
      }
    })
  )
