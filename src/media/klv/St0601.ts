import type { Telemetry, TelemetryValues } from "../../../schema/Telemetry.ts"
import type { KlvFlaw } from "./Ber.ts"
import { type Item, itemsOf } from "./LocalSet.ts"
import { readSecurity } from "./St0102.ts"
import { hex, mapped, type ReadValue, signed, text, unsigned, whole } from "./Values.ts"

/** The UAS datalink local set of MISB ST 0601. */

type Name = keyof TelemetryValues

interface Entry {
  readonly name: Name
  readonly read: ReadValue<string | number>
}

const latitude = signed(4, 90)
const longitude = signed(4, 180)
const altitude = unsigned(2, -900, 19_000)
const offset = signed(2, 0.075)

/**
 * The tags of ST 0902's minimum set, and the two names that drones have besides. Of two for one value the one with the
 * larger number is the more exact, or has the wider range.
 */
const table: ReadonlyMap<number, Entry> = new Map<number, Entry>([
  [3, { name: "mission_id", read: text }],
  [4, { name: "platform_tail_number", read: text }],
  [5, { name: "platform_heading_deg", read: unsigned(2, 0, 360) }],
  [6, { name: "platform_pitch_deg", read: signed(2, 20) }],
  [7, { name: "platform_roll_deg", read: signed(2, 50) }],
  [10, { name: "platform_designation", read: text }],
  [11, { name: "image_source_sensor", read: text }],
  [12, { name: "image_coordinate_system", read: text }],
  [13, { name: "sensor_latitude_deg", read: latitude }],
  [14, { name: "sensor_longitude_deg", read: longitude }],
  [15, { name: "sensor_altitude_m", read: altitude }],
  [16, { name: "sensor_horizontal_fov_deg", read: unsigned(2, 0, 180) }],
  [17, { name: "sensor_vertical_fov_deg", read: unsigned(2, 0, 180) }],
  [18, { name: "sensor_relative_azimuth_deg", read: unsigned(4, 0, 360) }],
  [19, { name: "sensor_relative_elevation_deg", read: signed(4, 180) }],
  [20, { name: "sensor_relative_roll_deg", read: unsigned(4, 0, 360) }],
  [21, { name: "slant_range_m", read: unsigned(4, 0, 5_000_000) }],
  [22, { name: "target_width_m", read: unsigned(2, 0, 10_000) }],
  [23, { name: "frame_center_latitude_deg", read: latitude }],
  [24, { name: "frame_center_longitude_deg", read: longitude }],
  [25, { name: "frame_center_elevation_m", read: altitude }],
  [26, { name: "offset_corner_latitude_1_deg", read: offset }],
  [27, { name: "offset_corner_longitude_1_deg", read: offset }],
  [28, { name: "offset_corner_latitude_2_deg", read: offset }],
  [29, { name: "offset_corner_longitude_2_deg", read: offset }],
  [30, { name: "offset_corner_latitude_3_deg", read: offset }],
  [31, { name: "offset_corner_longitude_3_deg", read: offset }],
  [32, { name: "offset_corner_latitude_4_deg", read: offset }],
  [33, { name: "offset_corner_longitude_4_deg", read: offset }],
  [59, { name: "platform_call_sign", read: text }],
  [65, { name: "uas_ls_version", read: whole(1) }],
  [75, { name: "sensor_ellipsoid_height_m", read: altitude }],
  [78, { name: "frame_center_ellipsoid_height_m", read: altitude }],
  [82, { name: "corner_latitude_1_deg", read: latitude }],
  [83, { name: "corner_longitude_1_deg", read: longitude }],
  [84, { name: "corner_latitude_2_deg", read: latitude }],
  [85, { name: "corner_longitude_2_deg", read: longitude }],
  [86, { name: "corner_latitude_3_deg", read: latitude }],
  [87, { name: "corner_longitude_3_deg", read: longitude }],
  [88, { name: "corner_latitude_4_deg", read: latitude }],
  [89, { name: "corner_longitude_4_deg", read: longitude }],
  [90, { name: "platform_pitch_deg", read: signed(4, 90) }],
  [91, { name: "platform_roll_deg", read: signed(4, 90) }],
  [94, { name: "miis_core_id", read: hex }],
  [96, { name: "target_width_m", read: mapped(0, 1_500_000) }],
  [104, { name: "sensor_ellipsoid_height_m", read: mapped(-900, 40_000) }]
])

const checksumTag = 1
const timeTag = 2
const securityTag = 48

const maxUnread = 64

/** The end of the year 9999, in microseconds since 1970: later than that there is no ISO 8601. */
const lastTime = 253_402_300_800_000_000n

const timeOf = (value: Buffer): string | undefined => {
  if (value.length !== 8) return undefined
  const time = value.readBigUInt64BE()
  if (time >= lastTime) return undefined
  const millis = new Date(Number(time / 1000n)).toISOString()
  return `${millis.slice(0, -1)}${String(time % 1000n).padStart(3, "0")}Z`
}

/** The sum of the set's 16-bit words up to the checksum itself (ST 0601, 8.1). */
const sumOf = (bytes: Buffer): number => {
  let sum = 0
  for (const [i, byte] of bytes.entries()) sum += i % 2 === 0 ? byte << 8 : byte
  return sum & 0xffff
}

const checksumFlaw = (whole: Buffer, last: Item | undefined): KlvFlaw | undefined => {
  if (last?.tag !== checksumTag || last.value.length !== 2) return "NO_CHECKSUM"
  return sumOf(whole.subarray(0, -2)) === last.value.readUInt16BE() ? undefined : "WRONG_CHECKSUM"
}

/** `whole`: the set with its universal key and its length, which `set` has not. */
export const readUas = (whole: Buffer, set: Buffer): Telemetry | KlvFlaw => {
  const items = itemsOf(set)
  if (typeof items === "string") return items
  const flaw = checksumFlaw(whole, items.at(-1))
  if (flaw !== undefined) return flaw
  const time = items.find(({ tag }) => tag === timeTag)
  if (time === undefined) return "NO_TIMESTAMP"
  const precision_time_stamp = timeOf(time.value)
  if (precision_time_stamp === undefined) return "BAD_TIMESTAMP"
  const values: Partial<Record<Name, string | number>> = {}
  let security: Telemetry["security"]
  const unread = new Set<number>()
  for (const { tag, value } of items.toSorted((a, b) => a.tag - b.tag)) {
    if (tag === checksumTag || tag === timeTag) continue
    if (tag === securityTag) {
      const found = readSecurity(value)
      if (typeof found === "string") unread.add(tag)
      else security = found
      continue
    }
    const entry = table.get(tag)
    // without a byte it says that its value is not known (ST 0601, 6.4)
    const read = value.length === 0 ? undefined : entry?.read(value)
    if (entry !== undefined && read !== undefined) values[entry.name] = read
    else if (unread.size < maxUnread) unread.add(tag)
  }
  return {
    precision_time_stamp,
    values: values as TelemetryValues,
    ...(security === undefined ? {} : { security }),
    ...(unread.size === 0 ? {} : { unread_tags: [...unread] })
  }
}
