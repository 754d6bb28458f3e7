import { isEverywhere } from "./Hosts.ts"
import type { Boot } from "./BootSettings.ts"
import { areStreamsSecured, isSecured, plainRtspHost, plainServer } from "./Tls.ts"

/** Two keys that ask for the same port of the same address. */
export interface Collision {
  readonly key: string
  readonly other: string
  readonly port: number
}

/** The TCP ports that this service and its MediaMTX are to listen on, by key. */
export const listeners = (boot: Boot) => {
  const { health, mediamtx, server, tls } = boot
  const own = [
    { key: "server.port", ...plainServer(boot) },
    ...(isSecured(boot) ? [{ key: "tls.port", host: server.host, port: tls.port }] : []),
    { key: "health.port", ...health }
  ]
  if (!mediamtx.managed) return own
  const at = (key: keyof typeof mediamtx & `${string}_port`, host = mediamtx.host) => ({
    key: `mediamtx.${key}`,
    host,
    port: mediamtx[key]
  })
  const others = ["hls_port", "webrtc_port", "webrtc_tcp_port", "playback_port"] as const
  return [
    ...own,
    at("api_port", "127.0.0.1"),
    at("rtsp_port", plainRtspHost(boot)),
    ...(areStreamsSecured(boot) ? [at("rtsps_port")] : []),
    ...others.map((key) => at(key))
  ]
}

const meets = (a: string, b: string): boolean => {
  const [one, other] = [a, b].map((host) => (host === "localhost" ? "127.0.0.1" : host))
  return one === other || isEverywhere(a) || isEverywhere(b)
}

/** Every key whose port another one before it has. */
export const collisions = (boot: Boot): ReadonlyArray<Collision> => {
  const all = listeners(boot)
  return all.flatMap(({ host, key, port }, i) => {
    const other = all.slice(0, i).find((before) => before.port === port && meets(before.host, host))
    return other === undefined ? [] : [{ key, other: other.key, port }]
  })
}

/** The TCP ports that are this service's and its MediaMTX's, be it a child or not. */
export const ownPorts = (boot: Boot): ReadonlySet<number> =>
  new Set(listeners({ ...boot, mediamtx: { ...boot.mediamtx, managed: true } }).map(({ port }) => port))
