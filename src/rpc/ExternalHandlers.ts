import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { CurrentSession, roleIncludes, type Session } from "../../schema/Auth.ts"
import { ExternalRpcs } from "../../schema/CameraRpcs.ts"
import { NotFound, PermissionDenied, Unsupported } from "../../schema/Errors.ts"
import type { ExternalStream } from "../../schema/External.ts"
import { Settings } from "../config/Settings.ts"
import { Discovery } from "../external/Discovery.ts"
import { DiscoveryInterval } from "../external/DiscoveryInterval.ts"
import { ExternalStreams } from "../external/ExternalStreams.ts"
import type { KnownStream } from "../external/SeenStreams.ts"
import { parseStreamUrl, typeFor } from "../external/StreamUrl.ts"
import { isoTime } from "../ground/Time.ts"
import { knowsAll, maySee } from "./Authorization.ts"

export const layer = ExternalRpcs.toLayer(
  Effect.gen(function* () {
    const streams = yield* ExternalStreams
    const interval = yield* DiscoveryInterval
    const discovery = yield* Discovery
    const { enabled } = (yield* Settings).boot.external
    const timestamp = Effect.map(Clock.currentTimeMillis, isoTime)
    const mayBe = enabled ? Effect.void : Effect.suspend(switchedOff)

    return ExternalRpcs.of({
      discover_external_streams: Effect.fnUntraced(function* (asked) {
        yield* mayBe
        const session = yield* CurrentSession
        if (session.cameras !== undefined) return yield* notForNewOnes(session)
        const options = { ...discoveryDefaults, ...asked }
        const wanted = {
          skydio: options.skydio_enabled,
          generic: options.generic_enabled,
          onvif: options.onvif_enabled
        }
        const {
          begun,
          errors,
          millis,
          streams: found
        } = yield* discovery.scan(wanted, options.force_rescan).pipe(Effect.annotateLogs({ user: session.userId }))
        const isFound = new Set(found.map(({ url }) => url.text))
        const viewOf = viewFor(session)
        const shown = streams.list().flatMap((stream): ReadonlyArray<ExternalStream> => {
          if (isFound.has(stream.url.text)) return [viewOf(stream)]
          if (!options.include_offline || !wanted[kinds[stream.type]]) return []
          return [{ ...viewOf(stream), ...(stream.device === undefined ? { status: "OFFLINE" } : {}) }]
        })
        return {
          discovered_streams: shown,
          ...byType(shown),
          scan_timestamp: Math.floor(begun.wall / 1000),
          total_found: shown.length,
          discovery_options: options,
          scan_duration: `${(millis / 1000).toFixed(1)}s`,
          errors
        }
      }),

      add_external_stream: Effect.fnUntraced(function* ({ stream_name: name, stream_type, stream_url }) {
        yield* mayBe
        const session = yield* CurrentSession
        if (session.cameras !== undefined) return yield* notForNewOnes(session)
        const url = yield* Effect.fromResult(parseStreamUrl(stream_url))
        const type = yield* Effect.fromResult(typeFor(url, stream_type))
        const added = yield* streams.add({ url, type, name })
        return {
          stream_url: url.text,
          stream_name: added.name,
          stream_type: added.type,
          device: added.device,
          status: "ADDED" as const,
          ...(added.isReplaced ? { credentials_replaced: true as const } : {}),
          timestamp: yield* timestamp
        }
      }),

      remove_external_stream: Effect.fnUntraced(function* ({ stream_url }) {
        const session = yield* CurrentSession
        const url = yield* Effect.fromResult(parseStreamUrl(stream_url))
        const hidden = streams.list().some((stream) => stream.url.text === url.text && !isShown(session)(stream))
        if (hidden) return yield* new NotFound({ resource: "stream", id: url.text })
        yield* streams.remove(url)
        return { stream_url: url.text, status: "REMOVED" as const, timestamp: yield* timestamp }
      }),

      get_external_streams: Effect.fnUntraced(function* () {
        const session = yield* CurrentSession
        const shown = streams.list().filter(isShown(session)).map(viewFor(session))
        return {
          external_streams: shown,
          ...byType(shown),
          total_count: shown.length,
          timestamp: yield* timestamp
        }
      }),

      set_discovery_interval: Effect.fnUntraced(function* ({ scan_interval }) {
        yield* mayBe
        yield* knowsAll
        yield* interval.set(scan_interval)
        return {
          scan_interval,
          status: "UPDATED" as const,
          message:
            scan_interval === 0
              ? "streams are looked for when asked only"
              : `streams are looked for every ${scan_interval} s`,
          timestamp: yield* timestamp
        }
      })
    })
  })
)

/** Who sees some cameras only sees neither the others nor what is in the network beside. */
const isShown =
  (session: Session) =>
  ({ device }: KnownStream): boolean =>
    device === undefined ? session.cameras === undefined : maySee(session, device)

const discoveryDefaults = {
  skydio_enabled: true,
  generic_enabled: false,
  onvif_enabled: true,
  force_rescan: false,
  include_offline: false
}

const kinds = { skydio_stanag4609: "skydio", generic_rtsp: "generic", onvif: "onvif" } as const

const byType = (streams: ReadonlyArray<ExternalStream>) => {
  const ofType = (type: ExternalStream["type"]) => streams.filter((stream) => stream.type === type)
  return {
    skydio_streams: ofType("skydio_stanag4609"),
    generic_streams: ofType("generic_rtsp"),
    onvif_streams: ofType("onvif")
  }
}

const viewFor =
  ({ role }: Session) =>
  (stream: KnownStream): ExternalStream => {
    const { capabilities, discoveredAt, lastSeen, name, pins, status, type, url } = stream
    return {
      url: url.text,
      type,
      name,
      status,
      discovered_at: isoTime(discoveredAt),
      last_seen: lastSeen === 0 ? "" : isoTime(lastSeen),
      capabilities,
      ...(pins === undefined || !roleIncludes(role, "operator") ? {} : certificatesOf(pins))
    }
  }

const certificatesOf = ({ deviceFingerprint, fingerprint, isChanged }: NonNullable<KnownStream["pins"]>) => {
  const certificates = [
    ...(fingerprint === undefined ? [] : [{ of: "stream" as const, sha256: fingerprint }]),
    ...(deviceFingerprint === undefined ? [] : [{ of: "device" as const, sha256: deviceFingerprint }])
  ]
  return {
    ...(certificates.length === 0 ? {} : { certificates }),
    ...(isChanged ? { certificate_changed: true as const } : {})
  }
}

const switchedOff = () =>
  Effect.fail(new Unsupported({ feature: "external_streams", reason: "external.enabled is false" }))

const notForNewOnes = ({ cameras = [], role }: Session) =>
  new PermissionDenied({
    required_role: "operator of all cameras",
    have_role: `${role} of ${cameras.join(", ")}`,
    reason: "your token or key is for some cameras, and a new one would be none of them",
    suggestion: "use one that is for all cameras"
  })
