import { assert, beforeAll, describe, it } from "vitest"
import { execFile, spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import type { CameraCapabilities, CameraDetails } from "../../schema/Camera.ts"
import type { ExternalStreamAdded, ExternalStreamsDiscovered } from "../../schema/External.ts"
import type { PresetList } from "../../schema/Ptz.ts"
import type { SnapshotTaken } from "../../schema/Snapshot.ts"
import type { LastTelemetry } from "../../schema/Telemetry.ts"

/** Where scripts/setup puts it. */
const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache")
const ipycam = join(cache, "camera-service/ipycam/v1.3.0/ipycam")
const wsDiscovery = join(cache, "camera-service/WSDiscovery/v2.0.0")
const stanag4609 = join(cache, "camera-service/stanag4609/v0.4.0")
const apart = ["--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
const canBeApart = spawnSync("unshare", [...apart, "ip", "link", "add", "near", "type", "veth"]).status === 0
const isThere = existsSync(ipycam) && existsSync(wsDiscovery) && canBeApart
if (!isThere)
  console.warn(
    "ipycam and WSDiscovery are left out: they are not in the cache of scripts/setup, or networks can't be made here"
  )

interface Canaries {
  /** packets that came, by where they were to go */
  readonly came: Readonly<Record<string, number>>
  /** the interfaces by which packets went to a camera */
  readonly to_cameras: Readonly<Record<string, ReadonlyArray<string>>>
}

/** What test/support/discovery/client.ts tells. */
interface Said {
  readonly discovered: ExternalStreamsDiscovered
  readonly added: ExternalStreamAdded
  readonly camera: CameraDetails
  readonly idle: SnapshotTaken
  readonly live: SnapshotTaken
  readonly capabilities: CameraCapabilities
  readonly presets: PresetList["presets"]
  readonly moved: ReadonlyArray<readonly [number, string, ...Array<unknown>]>
  readonly leftAt: number
  readonly flown: {
    readonly device: string
    readonly infrared: string
    readonly silence: object
    readonly told: ReadonlyArray<string>
    readonly last: LastTelemetry
    readonly filename: string
    readonly bytes: number
    readonly ofPackets: number
    readonly isWhole: boolean
  }
  readonly refusals: ReadonlyArray<readonly [string, string]>
  readonly names: ReadonlyArray<readonly [string, string | null, string | null]>
  readonly before: Canaries
  readonly after: Canaries
  readonly log: string
}

const onvif = "http://192.168.1.64:8080/onvif/device_service"
const support = join(import.meta.dirname, "../support/discovery")

describe.skipIf(!isThere)("among machines of two networks", () => {
  let said: Said

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), "camera-service-network-"))
    try {
      const client = [process.execPath, join(support, "client.ts"), folder]
      const { stdout } = await promisify(execFile)(
        "unshare",
        [...apart, join(support, "network.sh"), folder, ...client],
        {
          env: {
            ...process.env,
            NODE: process.execPath,
            IPYCAM: ipycam,
            WSDISCOVERY: wsDiscovery,
            STANAG4609: stanag4609
          },
          timeout: 170_000
        }
      )
      assert.notInclude(stdout, "canary-of-a-camera")
      said = JSON.parse(stdout) as Said
    } finally {
      rmSync(folder, { recursive: true })
    }
  }, 180_000)

  it("a drone and an ONVIF camera are found, each by its own interface", () => {
    const { before, discovered, log } = said
    assert.deepEqual(discovered.skydio_streams.map(({ capabilities, url }) => [url, ...capabilities]).sort(), [
      ["rtsp://192.168.42.10:5554/subject", "h264", "640x480", "klv"],
      ["rtsp://192.168.42.10:6554/infrared", "h264", "320x240"]
    ])
    const found = discovered.onvif_streams.find(({ url }) => url === onvif)
    assert.deepInclude(found, { type: "onvif", name: "Front door", status: "DISCOVERED" })
    assert.include(discovered.errors, `${onvif}: it wants a user and a password; add it with them`)
    // another that others made, which no question may have ended
    const announced = discovered.onvif_streams.find(
      ({ url }) => url === "http://192.168.1.64:8081/onvif/device_service"
    )
    assert.deepInclude(announced, { type: "onvif", name: "Announced by others", status: "DISCOVERED" })
    assert.deepEqual(before.to_cameras, {
      "192.168.42.10": ["drones"],
      "192.168.1.64": ["lan"],
      "192.168.1.66": ["lan"]
    })
    assert.include(log, "streams were looked for")
  })

  it("the camera that others made is added with its password, and watched", () => {
    const { added, camera, idle, live } = said
    assert.deepInclude(added, { device: "camera0", stream_type: "onvif", status: "ADDED" })
    // it took itself for another machine
    assert.deepInclude(camera, { status: "CONNECTED", resolution: "640x480", fps: 25 })
    // its own picture, which is larger than those of its stream
    assert.deepInclude(idle, { status: "SUCCESS", tier_name: "direct", width: 800, height: 600 })
    assert.deepInclude(live, { status: "SUCCESS", tier_name: "live", width: 640, height: 480 })
  })

  it("is moved, and stops when its time is over and when its client is gone", () => {
    const { capabilities, leftAt, moved, presets } = said
    assert.isTrue(capabilities.ptz)
    assert.deepEqual(presets, [{ id: "1", name: "Gate" }])
    assert.deepEqual(
      moved.map(([, ...what]) => what),
      [
        ["move", -0.5, 0, 1],
        ["stop", true, true],
        ["goto", "1"],
        ["move", 0, 1, 0],
        ["stop", true, true]
      ]
    )
    const [begun = 0, stopped = Infinity, , , left = Infinity] = moved.map(([at]) => at)
    assert.isAtLeast(stopped - begun, 250)
    assert.isAtMost(stopped - begun, 5000)
    // it was to move for 10 s
    assert.isAtMost(left - leftAt, 5000)
  })

  it("the drone tells where it is while it flies, and its recording has that bit by bit", () => {
    const { bytes, device, filename, infrared, isWhole, last, ofPackets, silence, told } = said.flown
    assert.deepEqual([device, infrared], ["camera1", "camera2"])
    assert.deepEqual([...new Set(told)], [device])
    assert.deepInclude(last.values, { mission_id: "MISSION 01", uas_ls_version: 19 })
    assert.closeTo(last.values.sensor_latitude_deg ?? 0, 48.11, 0.01)
    assert.isBelow(last.age_ms, 5000)
    assert.match(filename, /\.ts$/)
    // ten events are two seconds, and ten packets came in each
    assert.isAbove(bytes, 15 * ofPackets)
    assert.isTrue(isWhole, `${bytes} bytes`)
    assert.deepInclude(silence, { feature: "telemetry", suggestion: `these cameras send it: ${device}` })
  })

  it("goes nowhere where no camera may be, whoever sends it there, and counts who would", () => {
    const { after, before, discovered, names, refusals } = said
    assert.deepEqual(before.came, {})
    // the canaries sing where somebody comes
    assert.isAtLeast(Object.keys(after.came).length, 10)
    for (const address of ["127.0.0.1", "192.168.1.1", "169.254.169.254", "::1", "2002:7f00:1::1", "239.7.7.7"]) {
      assert.isAbove(after.came[address] ?? 0, 0, address)
    }
    const told = new Map(refusals)
    for (const [url, why] of told) if (!/192\.168\.1\.66|rebind/.test(url)) assert.strictEqual(why, "rule", url)
    assert.strictEqual(told.get("rtsp://192.168.1.66/live0"), "REDIRECTED")
    assert.match(told.get("rtsp://rebind.test:7777/live") ?? "", /^camera\d+$/)
    const rebound = names.filter(([, , detail]) => detail?.includes("loopback") === true)
    assert.isAtLeast(rebound.length, 1, JSON.stringify(names))
    assert.match(discovered.errors.join("\n"), /\d+ answers were dropped: from outside the networks that were asked/)
    assert.match(discovered.errors.join("\n"), /127\.0\.0\.1: it is a loopback address/)
  })
})
