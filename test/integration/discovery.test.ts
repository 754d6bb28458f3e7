import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile, spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import type { CameraDetails } from "../../schema/Camera.ts"
import type { ExternalStreamAdded, ExternalStreamsDiscovered } from "../../schema/External.ts"
import type { SnapshotTaken } from "../../schema/Snapshot.ts"

/** Where scripts/setup puts it. */
const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache")
const ipycam = join(cache, "camera-service/ipycam/v1.3.0/ipycam")
const apart = ["--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
const canBeApart = spawnSync("unshare", [...apart, "ip", "link", "add", "near", "type", "veth"]).status === 0
const isThere = existsSync(ipycam) && canBeApart
if (!isThere)
  console.warn("ipycam is left out: it is not in the cache of scripts/setup, or networks can't be made here")

interface Said {
  readonly discovered: ExternalStreamsDiscovered
  readonly added: ExternalStreamAdded
  readonly camera: CameraDetails
  readonly idle: SnapshotTaken
  readonly live: SnapshotTaken
  readonly log: string
}

const url = "http://192.168.42.10:8080/onvif/device_service"
const support = join(import.meta.dirname, "../support/discovery")

it.live.skipIf(!isThere)(
  "a camera in the network that others made is found, added with its password, and watched",
  () =>
    Effect.gen(function* () {
      const machines = [join(support, "network.sh"), join(support, "camera.py")]
      const client = [process.execPath, join(support, "client.ts")]
      const { stdout } = yield* Effect.promise(() =>
        promisify(execFile)("unshare", [...apart, ...machines, ...client], {
          env: { ...process.env, IPYCAM: ipycam },
          timeout: 25_000
        })
      )
      assert.notInclude(stdout, "canary-of-a-camera")
      const { added, camera, discovered, idle, live, log } = JSON.parse(stdout) as Said
      assert.deepInclude(discovered.onvif_streams[0], { url, type: "onvif", name: "Front door", status: "DISCOVERED" })
      assert.strictEqual(discovered.total_found, 1)
      const locked = "it wants a user and a password; add it with them"
      assert.sameMembers([...discovered.errors], [`rtsp://192.168.42.10:5554/subject: ${locked}`, `${url}: ${locked}`])
      assert.deepInclude(added, { device: "camera0", stream_type: "onvif", status: "ADDED" })
      // it took itself for another machine
      assert.deepInclude(camera, { status: "CONNECTED", resolution: "640x480", fps: 25 })
      // its own picture, which is larger than those of its stream
      assert.deepInclude(idle, { status: "SUCCESS", tier_name: "direct", width: 800, height: 600 })
      assert.deepInclude(live, { status: "SUCCESS", tier_name: "live", width: 640, height: 480 })
      assert.include(log, "streams were looked for")
    })
)
