import type { Camera, CameraCapabilities, CameraId } from "../../schema/Camera.ts"
import { reachableByOthers, urlAuthority } from "../config/Hosts.ts"
import type { Boot } from "../config/Settings.ts"
import type { Device, Mode } from "../device/Device.ts"
import type { Machine } from "../ground/Machine.ts"
import type { Sources } from "../stream/Sources.ts"

/** How a camera is shown to clients. */

/** Where viewers find the stream; a service that listens everywhere is reached by the machine's name. */
export const streamUrls = (camera: CameraId, { mediamtx }: Boot, machine: Machine["Service"]): Camera["streams"] => {
  const at = (port: number) => urlAuthority(reachableByOthers(mediamtx.host, machine.name()), port)
  return {
    rtsp: `rtsp://${at(mediamtx.rtsp_port)}/${camera}`,
    hls: `http://${at(mediamtx.hls_port)}/${camera}/index.m3u8`,
    webrtc: `http://${at(mediamtx.webrtc_port)}/${camera}/whep`
  }
}

/** Makes the list's entry of a device: the same object for the same device, so that it is planned and encoded once. */
export const cameraViews = (
  sources: Sources["Service"],
  boot: Boot,
  machine: Machine["Service"]
): ((device: Device) => Camera) => {
  const views = new WeakMap<Device, Camera>()
  return (device) => {
    const known = views.get(device)
    if (known !== undefined) return known
    const source = sources.of(device)
    const view: Camera = {
      device: device.id,
      status: device.status,
      ...(device.fault === undefined ? {} : { fault: device.fault }),
      name: device.name,
      resolution: source === undefined ? "" : `${source.width}x${source.height}`,
      fps: source?.fps ?? 0,
      streams: streamUrls(device.id, boot, machine)
    }
    views.set(device, view)
    return view
  }
}

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
