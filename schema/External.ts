import * as Schema from "effect/Schema"
import { CameraId } from "./Camera.ts"

/** Streams that come from the network: added by hand, or discovered. */

export const ExternalStreamType = Schema.Literals(["skydio_stanag4609", "generic_rtsp", "onvif"])
export type ExternalStreamType = typeof ExternalStreamType.Type

const isoTime = Schema.String.annotate({ description: "ISO 8601, UTC" })

export const StreamAddress = Schema.String.check(
  Schema.isPattern(/^(?:rtsps?|https?):\/\/[^\s/]\S{0,2040}$/u, {
    expected: "a URL that begins with rtsp://, rtsps://, http:// or https:// (ONVIF), 2048 characters at most"
  })
).annotate({ identifier: "StreamAddress" })

/** What a camera is known by: that of its stream (rtsps), or of its device service (ONVIF over https). */
export const Certificate = Schema.Struct({
  of: Schema.Literals(["stream", "device"]),
  sha256: Schema.String.annotate({ description: "its fingerprint, in hex" })
}).annotate({ identifier: "Certificate" })

export const ExternalStream = Schema.Struct({
  url: Schema.String.annotate({ description: "without credentials" }),
  type: ExternalStreamType,
  name: Schema.String,
  status: Schema.Literals(["DISCOVERED", "ONLINE", "OFFLINE", "ERROR"]),
  discovered_at: isoTime,
  last_seen: Schema.String.annotate({ description: "ISO 8601, UTC; empty: it was never reached" }),
  capabilities: Schema.Array(Schema.String).annotate({ description: "what it carries, such as h264 or klv" }),
  certificates: Schema.optionalKey(Schema.Array(Certificate)).annotateKey({
    description: "for operators, where it is reached over TLS: those that were seen first, and no others are accepted"
  }),
  certificate_changed: Schema.optionalKey(Schema.Literal(true)).annotateKey({
    description: "for operators: it shows another one now, and is not used; remove it and add it again to accept that"
  })
}).annotate({ identifier: "ExternalStream" })
export type ExternalStream = typeof ExternalStream.Type

const streamsByType = {
  skydio_streams: Schema.Array(ExternalStream),
  generic_streams: Schema.Array(ExternalStream),
  onvif_streams: Schema.Array(ExternalStream)
}

const flag = (description: string) => Schema.optionalKey(Schema.Boolean).annotateKey({ description })

export const DiscoverExternalStreams = {
  skydio_enabled: flag("look for Skydio drones (default true)"),
  generic_enabled: flag("look for other RTSP servers (default false)"),
  onvif_enabled: flag("look for ONVIF cameras (default true)"),
  force_rescan: flag("look again where the last scan is recent (default false)"),
  include_offline: flag("tell of those too that do not answer now (default false)")
}

export const ExternalStreamsDiscovered = Schema.Struct({
  discovered_streams: Schema.Array(ExternalStream),
  ...streamsByType,
  scan_timestamp: Schema.Int.annotate({ description: "seconds since 1970" }),
  total_found: Schema.Int,
  discovery_options: Schema.Struct({
    skydio_enabled: Schema.Boolean,
    generic_enabled: Schema.Boolean,
    onvif_enabled: Schema.Boolean,
    force_rescan: Schema.Boolean,
    include_offline: Schema.Boolean
  }).annotate({ description: "what was in force in this scan" }),
  scan_duration: Schema.String.annotate({ description: "such as 1.2s" }),
  errors: Schema.Array(Schema.String).annotate({ description: "what could not be looked at, for people" })
})
export type ExternalStreamsDiscovered = typeof ExternalStreamsDiscovered.Type

export const AddExternalStream = {
  stream_url: StreamAddress.annotateKey({
    description:
      "of a stream, or of an ONVIF camera's device service (http, https). Its user and password are for all that the camera is asked: ONVIF, the stream and pictures alike; those that a camera puts into its stream's address are not used"
  }),
  stream_name: Schema.String.check(
    // everybody sees it: a URL that was pasted in the wrong place may have a password
    Schema.isPattern(/^(?!.*:\/\/\S*@)\S(?:.{0,62}\S)?$/u, {
      expected: "1 to 64 characters on one line, no space at its ends, and no URL with a user"
    })
  ).annotateKey({
    description: "how it is called, for people"
  }),
  stream_type: Schema.optionalKey(ExternalStreamType)
}

export const ExternalStreamAdded = Schema.Struct({
  stream_url: Schema.String.annotate({ description: "without credentials" }),
  stream_name: Schema.String,
  stream_type: ExternalStreamType,
  device: CameraId,
  status: Schema.Literal("ADDED"),
  credentials_replaced: Schema.optionalKey(Schema.Literal(true)).annotateKey({
    description:
      "it was added before: the camera took the user and the password of this URL, which are in the place of the former ones; name and type are as they were"
  }),
  timestamp: isoTime
})
export type ExternalStreamAdded = typeof ExternalStreamAdded.Type

export const RemoveExternalStream = { stream_url: StreamAddress }

export const ExternalStreamRemoved = Schema.Struct({
  stream_url: Schema.String.annotate({ description: "without credentials" }),
  status: Schema.Literal("REMOVED"),
  timestamp: isoTime
})
export type ExternalStreamRemoved = typeof ExternalStreamRemoved.Type

export const ExternalStreamList = Schema.Struct({
  external_streams: Schema.Array(ExternalStream),
  ...streamsByType,
  total_count: Schema.Int,
  timestamp: isoTime
})
export type ExternalStreamList = typeof ExternalStreamList.Type

/** Seconds; nobody has a scan begin sooner after another. */
export const leastScanInterval = 5

export const SetDiscoveryInterval = {
  scan_interval: Schema.Union([
    Schema.Literal(0),
    Schema.Int.check(
      Schema.isBetween({ minimum: leastScanInterval, maximum: 86_400 }, { expected: "whole seconds from 5 to 86400" })
    )
  ]).annotateKey({ description: "seconds from the end of one scan to the next; 0: only when asked" })
}

export const DiscoveryIntervalSet = Schema.Struct({
  scan_interval: Schema.Int,
  status: Schema.Literal("UPDATED"),
  message: Schema.String,
  timestamp: isoTime
})
export type DiscoveryIntervalSet = typeof DiscoveryIntervalSet.Type
