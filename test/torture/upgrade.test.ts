import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { copyFileSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { ApiKeyCreated as KeyCreated, ApiKeyList as KeyList } from "../../schema/Auth.ts"
import type { CameraList } from "../../schema/Camera.ts"
import type { ExternalStreamList } from "../../schema/External.ts"
import type { RecordingStopped } from "../../schema/Recording.ts"
import type { CleanupDone, FileList } from "../../schema/Storage.ts"
import { bootDebian, whyNoBox } from "../support/DebianBox.ts"
import { eventually } from "../support/Eventually.ts"
import { said } from "../support/Said.ts"

/** The first program that lived under systemd as a package: its index is of version 1, and its data folder tells no format. */
const older = "229d9176da0ae85ac8d1e02e3baf1dd946f54626"

const root = join(import.meta.dirname, "../..")
const arch = process.arch === "x64" ? "amd64" : process.arch
/** A clone may have been made without what was before. */
const hasOlder = spawnSync("git", ["cat-file", "-e", `${older}^{commit}`], { cwd: root }).status === 0

/** By the older commit's own scripts, of what its package-lock.json names; where it is. */
const makeOlder = (folder: string) =>
  said(
    "sh",
    "-c",
    `git archive ${older} | tar -x -C "$1" && cd "$1" && ./scripts/setup >&2 && ./scripts/package ${arch}`,
    "sh",
    folder
  )
const packageIn = (text: string) => /dist\/packages\/\S+\.deb/.exec(text)?.[0] ?? ""

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "camera-service-upgrade-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

const data = "/var/lib/camera-service"
const settings = `
cameras: { synthetic: 2 }
recording: { resume_after: restart }
storage: { reserve_mb: 0, refuse_percent: 100 }
external: { allowed_hosts: [192.0.2.7] }
`

type ApiKeyCreated = typeof KeyCreated.Type
type ApiKeyList = typeof KeyList.Type
type Request = readonly [method: string, params?: Readonly<Record<string, unknown>>]

// npm ci of the older commit, two packages, a Debian; minutes. OLDER=write keeps what the older program wrote, for
// test/integration/service-older.test.ts. The key, the secret and the password in there were made for it in a box that is
// gone: they open nothing.
it.live.skipIf(whyNoBox !== "" || !hasOlder)(
  "what an older program wrote is there after an upgrade, and what the new one wrote after the downgrade; a recording goes on through both",
  () =>
    Effect.gen(function* () {
      const shared = yield* temporaryFolder
      const sources = yield* temporaryFolder
      copyFileSync(join(sources, packageIn(makeOlder(sources))), join(shared, "older.deb"))
      copyFileSync(join(root, packageIn(said(join(root, "scripts/package"), arch))), join(shared, "newer.deb"))
      copyFileSync(join(import.meta.dirname, "fixtures/call.ts"), join(shared, "call.ts"))
      const { run, well } = yield* bootDebian(shared)

      /** asks the service, of whatever version, one thing after the other */
      const ask = <A extends ReadonlyArray<unknown>>(token: string, ...requests: ReadonlyArray<Request>) => {
        const words = requests.flatMap(([method, params = {}]) => [method, JSON.stringify(params)])
        return JSON.parse(well("/usr/lib/camera-service/bin/node", "/srv/call.ts", token, ...words)) as A
      }
      /** what a box is to its clients */
      const known = () => {
        const [{ cameras }, recordings, snapshots, { keys }, { external_streams }, { message }] = ask<
          readonly [CameraList, FileList, FileList, ApiKeyList, ExternalStreamList, CleanupDone]
        >(
          "/root/token",
          ["get_camera_list"],
          ["list_recordings", { device: "camera0" }],
          ["list_snapshots"],
          ["list_api_keys"],
          ["get_external_streams"],
          ["cleanup_old_files"]
        )
        const filesOf = ({ files }: FileList) => files.map(({ file_size, filename }) => ({ filename, file_size }))
        const infos = recordings.files.map(({ filename }): Request => ["get_recording_info", { filename }])
        return {
          cameras: cameras.map(({ device, name }) => ({ device, name })),
          recordings: filesOf(recordings),
          durations: ask<ReadonlyArray<{ readonly duration: number }>>("/root/token", ...infos).map(
            ({ duration }) => duration
          ),
          snapshots: filesOf(snapshots),
          keys: keys.map(({ description, expires_at, key_id, role, status }) => ({
            description,
            expires_at,
            key_id,
            role,
            status
          })),
          external: external_streams.map(({ name, type, url }) => ({ name, type, url })),
          policy: message
        }
      }
      const digests = () => well("sh", "-c", `cd ${data} && sha256sum recordings/camera0* snapshots/*`)
      const runs = eventually(
        "it runs and records",
        Effect.sync(() =>
          well("systemctl", "show", "camera-service", "--value", "--property", "StatusText").includes(", 1 recording")
        )
      )
      const install = (name: string, ...options: ReadonlyArray<string>) =>
        well("apt-get", "install", "--yes", ...options, `/srv/${name}.deb`)

      install("older")
      well("sh", "-c", `printf '%s' '${settings}' >>/etc/camera-service/config.yaml`)
      well("systemctl", "restart", "camera-service")
      well("sh", "-c", "camera-service token --role admin >/root/token 2>/dev/null")
      // an address of examples (RFC 5737), which is nobody's
      const gate = { stream_url: "rtsp://eye:of-the-gate@192.0.2.7/live", stream_name: "Gate" }
      const [{ api_key }, { key_id }] = ask<readonly [ApiKeyCreated, ApiKeyCreated]>(
        "/root/token",
        ["create_api_key", { role: "viewer", description: "of before", expires_in_days: 3650 }],
        ["create_api_key", { role: "operator", description: "taken back" }],
        ["add_external_stream", gate],
        ["set_retention_policy", { policy_type: "age", enabled: true, max_age_days: 3650 }],
        ["take_snapshot", { device: "camera0", filename: "before.jpg" }]
      )
      ask("/root/token", ["revoke_api_key", { key_id }])
      well("sh", "-c", `printf %s '${api_key}' >/root/key`)
      well("camera-service", "record", "camera0", "--for", "2s")
      if (process.env["OLDER"] === "write") {
        well("systemctl", "stop", "camera-service")
        well(
          "tar",
          "-czf",
          "/srv/kept",
          "--owner=0",
          "--group=0",
          "--exclude=service.*",
          "-C",
          data,
          ".",
          "-C",
          "/root",
          "key"
        )
        copyFileSync(join(shared, "kept"), join(root, "test/fixtures/older.tar.gz"))
        well("systemctl", "start", "camera-service")
      }
      ask("/root/token", ["start_recording", { device: "camera1" }])
      yield* runs
      const before = known()
      const bytes = digests()

      // upgraded
      install("newer")
      yield* runs
      assert.deepStrictEqual(known(), before)
      assert.strictEqual(digests(), bytes)
      assert.strictEqual(ask<readonly [CameraList]>("/root/key", ["get_camera_list"])[0].total, 3)
      assert.notMatch(run("camera-service", "doctor").said, /^failure/m)
      well("camera-service", "record", "camera0", "--for", "2s")
      const [made] = ask<readonly [ApiKeyCreated]>(
        "/root/token",
        ["create_api_key", { role: "viewer", description: "of after" }],
        ["take_snapshot", { device: "camera0", filename: "after.jpg" }]
      )
      well("sh", "-c", `printf %s '${made.api_key}' >/root/later`)
      const after = known()
      const more = digests()
      assert.lengthOf(after.recordings, before.recordings.length + 1)

      // and back
      install("older", "--allow-downgrades")
      yield* runs
      assert.deepStrictEqual(known(), after)
      assert.strictEqual(digests(), more)
      for (const key of ["key", "later"]) ask(`/root/${key}`, ["get_camera_list"])

      // and upgraded again; what was recorded all the while is whole
      install("newer")
      yield* runs
      assert.deepStrictEqual(known(), after)
      const [{ files }] = ask<readonly [RecordingStopped]>("/root/token", ["stop_recording", { device: "camera1" }])
      assert.isNotEmpty(files)
      const decode = "for f in recordings/camera1*; do ffmpeg -v error -xerror -i $f -f null - || exit 1; done"
      well("sh", "-c", `cd ${data} && ${decode}`)
    }),
  1_800_000
)
