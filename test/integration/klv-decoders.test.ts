import { assert, describe, it } from "vitest"
import { execFileSync } from "node:child_process"
import { homedir } from "node:os"
import { join } from "node:path"
import type { Telemetry, TelemetryValues } from "../../schema/Telemetry.ts"
import { readKlv } from "../../src/media/klv/Klv.ts"
import { readTransport } from "../../src/media/TransportStream.ts"

/** Two decoders of others, where scripts/setup puts them; one of them writes the packets, too. */
const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "camera-service")
const env = { KLVDATA: join(cache, "klvdata/v0.0.3"), STANAG4609: join(cache, "stanag4609/v0.4.0") }
const script = join(import.meta.dirname, "../support/klv/vectors.py")

interface Read {
  readonly values: Readonly<Record<string, number | string | null>>
  readonly security?: Readonly<Record<string, number | string>>
}

interface Vectors {
  readonly packets: ReadonlyArray<{ readonly hex: string; readonly stanag4609: Read; readonly klvdata: Read }>
  readonly transports: Readonly<Record<"async" | "sync", string>>
}

const { packets, transports } = JSON.parse(
  execFileSync("/usr/bin/python3", [script], { env: { ...process.env, ...env }, encoding: "utf8" })
) as Vectors

/** By the table of ST 0601, put down once more; of two tags for one value the second is preferred. */
const names: ReadonlyArray<readonly [name: keyof TelemetryValues, ...tags: ReadonlyArray<number>]> = [
  ["mission_id", 3],
  ["platform_tail_number", 4],
  ["platform_heading_deg", 5],
  ["platform_pitch_deg", 6, 90],
  ["platform_roll_deg", 7, 91],
  ["platform_designation", 10],
  ["image_source_sensor", 11],
  ["image_coordinate_system", 12],
  ["sensor_latitude_deg", 13],
  ["sensor_longitude_deg", 14],
  ["sensor_altitude_m", 15],
  ["sensor_horizontal_fov_deg", 16],
  ["sensor_vertical_fov_deg", 17],
  ["sensor_relative_azimuth_deg", 18],
  ["sensor_relative_elevation_deg", 19],
  ["sensor_relative_roll_deg", 20],
  ["slant_range_m", 21],
  ["target_width_m", 22, 96],
  ["frame_center_latitude_deg", 23],
  ["frame_center_longitude_deg", 24],
  ["frame_center_elevation_m", 25],
  ...([1, 2, 3, 4] as const).flatMap(
    (corner) =>
      [
        [`offset_corner_latitude_${corner}_deg`, 24 + 2 * corner],
        [`offset_corner_longitude_${corner}_deg`, 25 + 2 * corner],
        [`corner_latitude_${corner}_deg`, 80 + 2 * corner],
        [`corner_longitude_${corner}_deg`, 81 + 2 * corner]
      ] as const
  ),
  ["platform_call_sign", 59],
  ["uas_ls_version", 65],
  ["sensor_ellipsoid_height_m", 75, 104],
  ["frame_center_ellipsoid_height_m", 78]
]

const securityNames = [
  ["country_coding_method", 2],
  ["classifying_country", 3],
  ["caveats", 5],
  ["object_country_coding_method", 12],
  ["object_country_codes", 13],
  ["version", 22]
] as const

/** What we read, or the reason why nothing. */
const ours = packets.map(({ hex }) => {
  const read = readKlv(Buffer.from(hex, "hex"))
  assert.isObject(read, String(read))
  return read as Telemetry
})

/** What is lost where no more decimals are told than the tag's steps are worth. */
const toleranceOf = (name: keyof TelemetryValues): number => {
  if (name.endsWith("_m")) return 6e-3
  return /(latitude|longitude)/.test(name) ? 1e-7 : 6e-5
}

const isSame = (name: keyof TelemetryValues, a: number | string | undefined, b: number | string): boolean =>
  typeof a === "number" && typeof b === "number" ? Math.abs(a - b) <= toleranceOf(name) : a === b

/** Each value that another one reads, as we read it; how many there were. */
const compare = (read: (vector: Vectors["packets"][number]) => Read): number => {
  let compared = 0
  for (const [i, vector] of packets.entries()) {
    const { values } = read(vector)
    for (const [name, ...tags] of names) {
      const theirs = tags.map((tag) => values[tag]).findLast((value) => value !== undefined)
      // where it knows the less exact of two tags alone, it can say nothing of the value
      const isElsewhere = tags.length > 1 && tags.some((tag) => vector.stanag4609.values[tag] !== values[tag])
      if (theirs === undefined || theirs === null || isElsewhere) continue
      const mine = ours[i]?.values[name]
      assert.isTrue(isSame(name, mine, theirs), `${name} of packet ${i}: ${mine}, and not ${theirs}`)
      compared++
    }
  }
  return compared
}

describe("a packet of ST 0601", () => {
  it("is read as stanag4609 reads it", () => {
    assert.isAbove(
      compare(({ stanag4609 }) => stanag4609),
      1500
    )
  })

  it("is read as klvdata reads it", () => {
    assert.isAbove(
      compare(({ klvdata }) => klvdata),
      700
    )
  })

  it("has its time to the microsecond, and its security set, as stanag4609 reads them", () => {
    for (const [i, { stanag4609 }] of packets.entries()) {
      const { precision_time_stamp, security } = ours[i] ?? assert.fail("it was read")
      const [, seconds = "", fraction = "0"] = /^([^.+]*)(?:\.(\d+))?/.exec(String(stanag4609.values["2"])) ?? []
      assert.strictEqual(precision_time_stamp, `${seconds}.${fraction.padEnd(6, "0")}Z`)
      const theirs = stanag4609.security ?? {}
      for (const [name, tag] of securityNames) assert.strictEqual(security?.[name], theirs[tag])
      assert.strictEqual(security?.classification, theirs["1"] === 2 ? "RESTRICTED" : undefined)
    }
  })

  it("with one bit wrong is refused", () => {
    for (const { hex } of packets.slice(0, 10)) {
      for (let bit = 0; bit < hex.length * 4; bit++) {
        const bytes = Buffer.from(hex, "hex")
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        assert.isString(readKlv(bytes), `bit ${bit}`)
      }
    }
  })
})

describe("a transport stream that stanag4609 writes", () => {
  it.each(["async", "sync"] as const)("gives every packet in it, bit by bit: %s", (kind) => {
    const bytes = Buffer.from(transports[kind], "hex")
    const units: Array<string> = []
    const { hasKlv, take } = readTransport((unit) => units.push(unit.toString("hex")))
    for (let at = 0; at < bytes.length; at += 7 * 188) {
      const packet = Buffer.concat([
        Buffer.from([0x80, 33, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9]),
        bytes.subarray(at, at + 7 * 188)
      ])
      take(packet, 0, packet.length)
    }
    assert.isTrue(hasKlv())
    assert.deepEqual(
      units,
      packets.map(({ hex }) => hex)
    )
  })
})
