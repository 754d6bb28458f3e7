import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import type { Boot } from "../config/BootSettings.ts"
import { authority, reachableHere, urlAuthority } from "../config/Hosts.ts"
import type { Live } from "../config/LiveSettings.ts"
import { liveNow, type Settings } from "../config/Settings.ts"
import { plainRtspHost } from "../config/Tls.ts"
import type { Disk } from "../ground/Disk.ts"
import type { PathOptions } from "./MediaMtxReplies.ts"

/**
 * What a camera's path is made of: somebody publishes to it, and a reader of an idle one is held until then.
 * `runOnDemand: true` is /bin/true: it starts nothing, it only makes MediaMTX hold readers. A path with a source of its
 * own must set `runOnDemand` to "" (MediaMTX refuses the pair).
 */
export const publisherPath = ({ streams }: Live) => ({
  source: "publisher",
  overridePublisher: false,
  runOnDemand: "true",
  runOnDemandStartTimeout: `${Duration.toSeconds(streams.start_timeout_seconds)}s`
})

const pathDefaults = (live: Live): PathOptions => ({
  ...publisherPath(live),
  // How long a stream stays is the leases' matter; without a reader MediaMTX has nothing to wait for.
  runOnDemandCloseAfter: "1s",
  // Its default deletes recordings after a day; retention is ours.
  recordDeleteAfter: "0s"
})

/**
 * Segments end with the first keyframe after half a second: the least that rounds to the whole second which a playlist has
 * to tell, and which must not change (MediaMTX warns of iOS). Low-latency HLS calls what was before a stream began
 * `gap.mp4`, which MediaMTX does not have; hls.js leaves it out, and VLC asks for it and waits for ever.
 */
const segments = {
  fmp4: { hlsVariant: "fmp4", hlsSegmentDuration: "500ms", hlsSegmentCount: 14 },
  mpegts: { hlsVariant: "mpegts", hlsSegmentDuration: "500ms", hlsSegmentCount: 14 },
  lowLatency: { hlsVariant: "lowLatency" }
}

/** It follows the file by itself, and keeps what it has where that is bad (`internal/certloader`). */
const encryption = ({ mediamtx }: Boot, certificate: string) => {
  const files = (server: string) => ({ [`${server}ServerCert`]: certificate, [`${server}ServerKey`]: certificate })
  return {
    // what is plain is for this machine: our own FFmpeg publishes there
    rtspEncryption: "optional",
    rtspsAddress: authority(mediamtx.host, mediamtx.rtsps_port),
    ...files("rtsp"),
    hlsEncryption: true,
    ...files("hls"),
    webrtcEncryption: true,
    ...files("webrtc"),
    playbackEncryption: true,
    ...files("playback")
  }
}

/**
 * The configuration of our own MediaMTX, as JSON (which is YAML). No path is configured: unknown names are refused, and
 * paths come over the API. `asker`: what its questions show (`user:password`); `certificate`: the file with chain and key;
 * undefined: nothing is encrypted.
 */
export const mediaMtxConfig = (settings: Settings["Service"], asker: string, certificate?: string): string => {
  const { health, mediamtx } = settings.boot
  const at = (port: number) => authority(mediamtx.host, port)
  const live = liveNow(settings)
  // whose address the log has, and failed logins are counted by
  const proxies = live.server.trusted_proxies
  return JSON.stringify({
    logLevel: "warn",
    logDestinations: ["stdout"],

    // Each publish, read, playback and call of the API is asked for at our door, beside the health endpoints.
    authMethod: "http",
    authHTTPAddress: `http://${asker}@${urlAuthority(reachableHere(health.host), health.port)}/mediamtx/auth`,
    authHTTPExclude: [],

    api: true,
    apiAddress: `127.0.0.1:${mediamtx.api_port}`,
    // No web page may read it through a browser on this machine; that none may write to it, nor anybody else, is our key's matter.
    apiAllowOrigins: [],

    rtsp: true,
    rtspAddress: authority(plainRtspHost(settings.boot), mediamtx.rtsp_port),
    // TCP only: UDP would take ports 8000 and 8001 too, loses packets, and players fall back to TCP by themselves.
    rtspTransports: ["tcp"],

    ...segments[mediamtx.hls_variant],
    // Pages of any origin may play: a token is what opens a stream, and browsers send none by themselves.
    hls: true,
    hlsAddress: at(mediamtx.hls_port),
    hlsAllowOrigins: ["*"],
    hlsTrustedProxies: proxies,
    hlsAlwaysRemux: false,

    webrtc: true,
    webrtcAddress: at(mediamtx.webrtc_port),
    webrtcAllowOrigins: ["*"],
    webrtcTrustedProxies: proxies,
    webrtcLocalUDPAddress: at(mediamtx.webrtc_udp_port),
    webrtcLocalTCPAddress: at(mediamtx.webrtc_tcp_port),

    playback: true,
    playbackAddress: at(mediamtx.playback_port),
    playbackAllowOrigins: ["*"],
    playbackTrustedProxies: proxies,

    ...(certificate === undefined ? {} : encryption(settings.boot, certificate)),

    rtmp: false,
    srt: false,
    moq: false,
    metrics: false,
    pprof: false,

    pathDefaults: pathDefaults(live),
    paths: {}
  })
}

/** Has it in a file, for us and MediaMTX alone; the folder is gone with the scope. */
export const writeMediaMtxConfig = Effect.fnUntraced(function* (
  disk: Disk["Service"],
  settings: Settings["Service"],
  asker: string,
  certificate: string | undefined
) {
  const folder = yield* disk.temporaryFolder("camera-service-")
  const path = join(folder, "mediamtx.yml")
  const file = yield* disk.create(path, 0o600)
  yield* file.append(new TextEncoder().encode(mediaMtxConfig(settings, asker, certificate)))
  return { folder, path }
})
