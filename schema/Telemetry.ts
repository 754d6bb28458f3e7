import * as Schema from "effect/Schema"
import { CameraId } from "./Camera.ts"
import { FileName } from "./Storage.ts"

const degrees = Schema.optionalKey(Schema.Finite.annotate({ description: "degrees" }))
const metres = Schema.optionalKey(Schema.Finite.annotate({ description: "metres" }))
const text = Schema.optionalKey(Schema.String)
const whole = Schema.optionalKey(Schema.Int)

/** What a UAS tells of itself, its sensor and its picture (MISB ST 0601; the set that ST 0902 asks for, and its name). */
export const TelemetryValues = Schema.Struct({
  mission_id: text,
  platform_tail_number: text,
  platform_designation: text,
  platform_call_sign: text,
  platform_heading_deg: degrees,
  platform_pitch_deg: degrees,
  platform_roll_deg: degrees,
  image_source_sensor: text,
  image_coordinate_system: text,
  sensor_latitude_deg: degrees,
  sensor_longitude_deg: degrees,
  sensor_altitude_m: metres,
  sensor_ellipsoid_height_m: metres,
  sensor_horizontal_fov_deg: degrees,
  sensor_vertical_fov_deg: degrees,
  sensor_relative_azimuth_deg: degrees,
  sensor_relative_elevation_deg: degrees,
  sensor_relative_roll_deg: degrees,
  slant_range_m: metres,
  target_width_m: metres,
  frame_center_latitude_deg: degrees,
  frame_center_longitude_deg: degrees,
  frame_center_elevation_m: metres,
  frame_center_ellipsoid_height_m: metres,
  offset_corner_latitude_1_deg: degrees,
  offset_corner_longitude_1_deg: degrees,
  offset_corner_latitude_2_deg: degrees,
  offset_corner_longitude_2_deg: degrees,
  offset_corner_latitude_3_deg: degrees,
  offset_corner_longitude_3_deg: degrees,
  offset_corner_latitude_4_deg: degrees,
  offset_corner_longitude_4_deg: degrees,
  corner_latitude_1_deg: degrees,
  corner_longitude_1_deg: degrees,
  corner_latitude_2_deg: degrees,
  corner_longitude_2_deg: degrees,
  corner_latitude_3_deg: degrees,
  corner_longitude_3_deg: degrees,
  corner_latitude_4_deg: degrees,
  corner_longitude_4_deg: degrees,
  uas_ls_version: whole,
  miis_core_id: Schema.optionalKey(Schema.String.annotate({ description: "hexadecimal" }))
}).annotate({ identifier: "TelemetryValues" })
export type TelemetryValues = typeof TelemetryValues.Type

/** How the picture is classified (MISB ST 0102), in the words and numbers of the standard. */
export const TelemetrySecurity = Schema.Struct({
  classification: Schema.optionalKey(
    Schema.Literals(["UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET", "TOP SECRET"])
  ),
  country_coding_method: whole,
  classifying_country: text,
  sci_shi_information: text,
  caveats: text,
  releasing_instructions: text,
  object_country_coding_method: whole,
  object_country_codes: text,
  version: whole
}).annotate({ identifier: "TelemetrySecurity" })
export type TelemetrySecurity = typeof TelemetrySecurity.Type

/** One packet of a camera's metadata. */
export const telemetryFields = {
  precision_time_stamp: Schema.String.annotate({
    description: "by the camera's clock: ISO 8601 with microseconds, UTC without its leap seconds"
  }),
  values: TelemetryValues,
  security: Schema.optionalKey(TelemetrySecurity),
  unread_tags: Schema.optionalKey(
    Schema.Array(Schema.Int).annotate({
      description:
        "tags of ST 0601 that are not among the values: of another kind, of a wrong length, without a value; 64 at most"
    })
  )
}
const TelemetryFields = Schema.Struct(telemetryFields)
/** What one packet says. */
export type Telemetry = typeof TelemetryFields.Type

/** The data of the event `telemetry`. */
export const TelemetryEvent = Schema.Struct({ device: CameraId, ...telemetryFields }).annotate({
  identifier: "Telemetry"
})

export const LastTelemetry = Schema.Struct({
  device: CameraId,
  timestamp: Schema.String.annotate({ description: "when it came; ISO 8601, UTC" }),
  age_ms: Schema.Int.annotate({ description: "milliseconds since then" }),
  ...telemetryFields
})
export type LastTelemetry = typeof LastTelemetry.Type

/** A packet of a recording's telemetry. */
export const TelemetryPoint = Schema.Struct({
  offset: Schema.Finite.annotate({ description: "seconds since the recording's beginning" }),
  ...telemetryFields
}).annotate({ identifier: "TelemetryPoint" })
export type TelemetryPoint = typeof TelemetryPoint.Type

const seconds = Schema.Finite.check(
  Schema.isBetween({ minimum: 0, maximum: 1e9 }, { expected: "seconds since the recording's beginning" })
)
export const mostPoints = 1000
export const defaultPoints = 100

export const GetRecordingTelemetry = {
  filename: FileName,
  from: Schema.optionalKey(seconds).annotateKey({ description: "the first that counts; default 0" }),
  to: Schema.optionalKey(seconds).annotateKey({ description: "the last that counts; default: the end" }),
  limit: Schema.optionalKey(
    Schema.Int.check(
      Schema.isBetween({ minimum: 1, maximum: mostPoints }, { expected: `a whole number from 1 to ${mostPoints}` })
    )
  ).annotateKey({ description: `points at most; default ${defaultPoints}` })
}

export const RecordingTelemetry = Schema.Struct({
  filename: FileName,
  device: CameraId,
  points: Schema.Array(TelemetryPoint).annotate({ description: "oldest first; empty: there are none" }),
  next: Schema.optionalKey(Schema.Finite.annotate({ description: "there are more: ask again from here" }))
})
export type RecordingTelemetry = typeof RecordingTelemetry.Type
