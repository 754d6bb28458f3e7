import type { CameraId } from "../../schema/Camera.ts"
import type { ExternalStream, ExternalStreamType } from "../../schema/External.ts"
import { capabilitiesOf } from "./Carried.ts"
import type { NetworkCamera } from "./NetworkCameras.ts"
import type { Pins } from "./StreamTargets.ts"
import type { StreamUrl } from "./StreamUrl.ts"

/** A stream that a scan has seen. */
export interface SeenStream {
  readonly url: StreamUrl
  readonly type: ExternalStreamType
  readonly name: string
  readonly capabilities: ReadonlyArray<string>
  /** what the camera and this stream of it are known by, wherever they are: `onvif:SERIAL:PROFILE` */
  readonly lasting?: string
}

/** A stream that is known; times are epoch milliseconds, `lastSeen` 0 where it was never reached. */
export interface KnownStream extends SeenStream {
  readonly status: ExternalStream["status"]
  readonly discoveredAt: number
  readonly lastSeen: number
  /** of one that was added */
  readonly device?: CameraId
  /** of one that was added: by which certificates it is known, and whether it shows others now */
  readonly pins?: Pins & { readonly isChanged: boolean }
  /** of one that was added: it can be moved, by what it told last */
  readonly hasPtz?: boolean
}

/** More are not remembered. */
const most = 1024

/** What scans have seen, and nobody has added; the latest last. */
export class SeenStreams {
  /** by the texts of their URLs */
  readonly #streams = new Map<string, KnownStream>()

  get(text: string): KnownStream | undefined {
    return this.#streams.get(text)
  }

  list(): Iterable<KnownStream> {
    return this.#streams.values()
  }

  /** True: it was known. */
  forget(text: string): boolean {
    return this.#streams.delete(text)
  }

  /** These are there; `now`: epoch milliseconds. */
  see(streams: ReadonlyArray<SeenStream>, now: number): void {
    for (const stream of streams) {
      const { text } = stream.url
      const { discoveredAt = now } = this.#streams.get(text) ?? {}
      this.#streams.delete(text)
      this.#streams.set(text, { ...stream, status: "DISCOVERED", discoveredAt, lastSeen: now })
    }
    for (const text of this.#streams.keys()) if (this.#streams.size > most) this.#streams.delete(text)
  }
}

/** One that was added. */
export const knownOf = (camera: NetworkCamera): KnownStream => {
  const {
    carried,
    deviceFingerprint,
    discoveredAt,
    fingerprint,
    hasPtz = false,
    lastSeen,
    name,
    type,
    url
  } = camera.stream()
  const pins = {
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(deviceFingerprint === undefined ? {} : { deviceFingerprint }),
    isChanged: camera.isChanged()
  }
  const capabilities = capabilitiesOf(carried)
  return {
    url,
    type,
    name,
    status: camera.status(),
    discoveredAt,
    lastSeen,
    capabilities,
    device: camera.id,
    pins,
    hasPtz
  }
}
