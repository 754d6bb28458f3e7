import * as Effect from "effect/Effect"
import type { Camera, CameraCapabilities } from "../../schema/Camera.ts"
import type { Boot } from "../config/BootSettings.ts"
import { hostOf, reachableByOthers, urlAuthority } from "../config/Hosts.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { areStreamsSecured } from "../config/Tls.ts"
import type { Device, Mode } from "../device/Device.ts"
import { Machine } from "../ground/Machine.ts"
import type { RecordingNow } from "../recording/Recording.ts"
import type { Recordings } from "../recording/Recordings.ts"
import type { BrowserProtocol } from "../source/Transcode.ts"
import type { Feeds } from "../stream/Feeds.ts"
import { playedOver } from "../stream/StreamName.ts"
import { Connections } from "./Connections.ts"
import { recordingNow } from "./RecordingUpdate.ts"

/** How a camera is shown to clients. */

/** As many names of this service as connections tell apart (`Authorities`), and the machine's own. */
const maxKeptNames = 17

/** Makes something once for each name of this service. */
export const perName = <A>(make: (name: string) => A): ((name: string) => A) => {
  const kept = new Map<string, A>()
  return (name) => {
    const known = kept.get(name)
    if (known !== undefined) return known
    const made = make(name)
    // names of clients that have gone
    if (kept.size >= maxKeptNames) kept.clear()
    kept.set(name, made)
    return made
  }
}

/** The host that URLs name for a client that came by this authority (see `Connection`). */
export type HostFor = (authority: string | undefined) => string

/** Makes it: what the operator says; else where MediaMTX listens; and where that is everywhere, the host by which the client came. */
export const makeHostFor = Effect.gen(function* () {
  const settings = yield* Settings
  const machine = yield* Machine
  const cameBy = perName((authority) => reachableByOthers(settings.boot.mediamtx.host, hostOf(authority)))
  const hostFor: HostFor = (authority) => {
    const { public_host } = liveNow(settings).server
    if (public_host !== "") return public_host
    return authority === undefined ? reachableByOthers(settings.boot.mediamtx.host, machine.name()) : cameBy(authority)
  }
  return hostFor
})

/** Makes what gives the same for a client by its id. */
export const makeHostOfClient = Effect.gen(function* () {
  const hostFor = yield* makeHostFor
  const connections = yield* Connections
  return (clientId: number): string => hostFor(connections.get(clientId)?.authority)
})

/** Where viewers find the stream; browsers, the transcode where they do not play the camera's own. */
export const streamUrls = (device: Device, boot: Boot, host: string): Camera["streams"] => {
  const { id } = device
  const { codec, mediamtx } = boot
  const [http, rtsp, rtspPort] = areStreamsSecured(boot)
    ? ["https", "rtsps", mediamtx.rtsps_port]
    : ["http", "rtsp", mediamtx.rtsp_port]
  const at = (port: number) => urlAuthority(host, port)
  const played = (protocol: BrowserProtocol) => playedOver(protocol, codec.profile, device)
  return {
    rtsp: `${rtsp}://${at(rtspPort)}/${id}`,
    hls: `${http}://${at(mediamtx.hls_port)}/${played("hls")}/index.m3u8`,
    webrtc: `${http}://${at(mediamtx.webrtc_port)}/${played("webrtc")}/whep`
  }
}

/** The same for players that send no header. */
export const withToken = ({ hls, rtsp, webrtc }: Camera["streams"], token: string): Camera["streams"] => ({
  rtsp: `${rtsp}?token=${token}`,
  hls: `${hls}?token=${token}`,
  webrtc: `${webrtc}?token=${token}`
})

interface Viewed {
  readonly recording: RecordingNow | undefined
  readonly view: Camera
}

/** Makes the list's entry of a device: the same object while nothing of it changes, so that it is planned and encoded once. */
export const cameraViews = (
  feeds: Feeds["Service"],
  recordings: Recordings["Service"],
  boot: Boot
): ((host: string) => (device: Device) => Camera) =>
  perName((host) => {
    const views = new WeakMap<Device, Viewed>()
    return (device) => {
      const recording = recordings.now().get(device.id)
      const known = views.get(device)
      if (known !== undefined && known.recording === recording) return known.view
      const { fps = 0, height = 0, width = 0 } = feeds.of(device).making() ?? {}
      const view: Camera = {
        device: device.id,
        status: device.status,
        ...(device.fault === undefined ? {} : { fault: device.fault }),
        name: device.name,
        resolution: width === 0 ? "" : `${width}x${height}`,
        fps,
        ...recordingNow(recording),
        streams: streamUrls(device, boot, host)
      }
      views.set(device, { recording, view })
      return view
    }
  })

/** Each size once, the largest first. */
export const resolutionsOf = (device: Device): ReadonlyArray<string> => {
  const sizes = device.formats.flatMap(({ sizes: each }) => each)
  const sorted = sizes.sort((a, b) => b.width * b.height - a.width * a.height)
  return [...new Set(sorted.map(({ height, width }) => `${width}x${height}`))]
}

export const formatsOf = (device: Device): ReadonlyArray<string> => [
  ...new Set(device.formats.map(({ pixelFormat }) => pixelFormat))
]

export const ratesOf = (device: Device): ReadonlyArray<number> =>
  [...new Set(device.formats.flatMap(({ sizes }) => sizes.flatMap(({ rates }) => rates)))].sort((a, b) => b - a)

/** What a device is set to deliver, where its driver tells. */
export const currentOf = (current: Mode | undefined): Pick<CameraCapabilities, "current"> => {
  if (current === undefined) return {}
  const { height, pixelFormat, rate, width } = current
  const fps = rate === undefined ? {} : { fps: rate }
  return { current: { format: pixelFormat, resolution: `${width}x${height}`, ...fps } }
}
