import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { readSbom } from "../support/CycloneDx.ts"
import { bootDebian, whyNoBox } from "../support/DebianBox.ts"
import { eventually } from "../support/Eventually.ts"
import { lives, startImage } from "../support/ImageBox.ts"

const root = join(import.meta.dirname, "../..")
const hasLintian = spawnSync("lintian", ["--version"]).status === 0

/** Compressed as little as can be: it is the same for what is tested. */
let built: string | undefined
const build = () => {
  const env = { ...process.env, DPKG_DEB_COMPRESSOR_LEVEL: "0" }
  const arch = process.arch === "x64" ? "amd64" : process.arch
  const said = execFileSync(join(root, "scripts/package"), [arch], {
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"]
  })
  return join(root, /dist\/packages\/\S+\.deb/.exec(said)?.[0] ?? "")
}
const digest = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex")

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "camera-service-debian-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

it.live.skipIf(whyNoBox !== "")(
  "the Debian package is the same bytes each time, has no errors, and lives a life under systemd",
  () =>
    Effect.gen(function* () {
      const file = build()
      built = file
      const bytes = digest(file)
      // the package of earlier sources goes when there is the new one; what is not its own stays
      const earlier = (kind: string) => file.replace(/_[^_]+(_[^_]+)\.deb$/, `_0$1.${kind}`)
      for (const kind of ["deb", "copyright", "rootfs"]) writeFileSync(earlier(kind), "")
      assert.strictEqual(digest(build()), bytes)
      assert.deepStrictEqual(
        ["deb", "copyright", "rootfs"].filter((kind) => existsSync(earlier(kind))),
        ["rootfs"]
      )
      rmSync(earlier("rootfs"))
      // of other sources it is another version (test/packaging/Sources.test.ts), which all that tells of it has
      const [, version = ""] = /^camera-service_(\d+\.\d+\.\d+\+\d{8}\.\d{6}\.[\da-f]{8})_/.exec(basename(file)) ?? []
      assert.isNotEmpty(version)
      const beside = (name: string) => readFileSync(file.replace(/deb$/, name), "utf8")
      const parts = readSbom(beside("sbom.cdx.json")).components.map(({ name }) => name)
      assert.includeMembers(parts, ["node", "mediamtx", "koffi", "effect", "preact", "github.com/pion/webrtc/v4"])
      assert.include(beside("copyright"), "MediaMTX")
      for (const name of ["sbom.cdx.json", "copyright"]) assert.include(beside(name), version)
      if (hasLintian) {
        const { status, stderr, stdout } = spawnSync("lintian", ["--fail-on", "error", file], { encoding: "utf8" })
        assert.strictEqual(status, 0, stdout + stderr)
      }
      const shared = yield* temporaryFolder
      copyFileSync(file, join(shared, "camera-service.deb"))
      copyFileSync(file, join(shared, basename(file)))
      const { run, well } = yield* bootDebian(shared)
      const show = (property: string) => well("systemctl", "show", "camera-service", "--value", "--property", property)
      const install = () => well("dpkg", "--install", "/srv/camera-service.deb")

      // installed: it runs as its own user, and systemd knows how it is
      install()
      assert.strictEqual(well("systemctl", "is-active", "camera-service"), "active")
      assert.strictEqual(show("StatusText"), "0 cameras, 0 recordings")
      assert.include(well("id", "camera-service"), "(video)")
      assert.include(well("cat", "/usr/lib/sysctl.d/60-camera-service.conf"), "net.ipv4.tcp_pingpong_thresh = 3")
      // what its documents name is there, too
      assert.include(well("ls", "/usr/share/doc/camera-service/packaging/proxy"), "nginx.conf")
      assert.strictEqual(
        well("stat", "-c", "%U %a", "/var/lib/camera-service/secrets/jwt_secret"),
        "camera-service 600"
      )

      // its log is the journal's, for people and for programs
      const log = (...options: ReadonlyArray<string>) => {
        const tail = `rm -f /tmp/log; timeout 60 camera-service tail ${options.join(" ")} >/tmp/log 2>/dev/null & tail=$!`
        const until = "until grep -qs serving /tmp/log || ! kill -0 $tail 2>/dev/null; do sleep 0.1; done"
        return run("sh", "-c", `${tail}; ${until}; kill $tail; sed '/serving/q' /tmp/log`).said.trim()
      }
      assert.match(log(), /^\S+Z {2}info {5}camera-service is serving {2}version=/m)
      const messages = log("--json")
        .split("\n")
        .map((line) => String(JSON.parse(line)["message"]))
      assert.include(messages, "camera-service is serving")

      // it records with FFmpeg and MediaMTX as the unit leaves them; root's commands work on the service's own data
      well(
        "sh",
        "-c",
        "printf 'cameras:\\n  synthetic: 1\\nstorage:\\n  reserve_mb: 0\\n  refuse_percent: 100\\n' >>/etc/camera-service/config.yaml"
      )
      well("systemctl", "restart", "camera-service")
      // the machine that tests may be short of something, which is a warning
      const { said: examined } = run("camera-service", "doctor")
      assert.match(examined, /^ok +service +process \d+/m)
      assert.notMatch(examined, /^failure/m)
      const token = well(
        "sh",
        "-c",
        "camera-service token --role operator 2>/dev/null >/root/token && wc -c </root/token"
      )
      assert.isAbove(Number(token), 100)
      const there = ["--url", "ws://127.0.0.1:8002/ws", "--token-file", "/root/token"]
      well("camera-service", "snapshot", "camera0", "-o", "/root/picture.jpg", ...there)
      assert.strictEqual(well("sh", "-c", "head -c 3 /root/picture.jpg | od -A n -t x1"), "ff d8 ff")
      assert.match(well("camera-service", "record", "camera0", "--for", "2s", ...there), /\.mp4/)
      const recordings = () => well("ls", "/var/lib/camera-service/recordings")
      const recorded = recordings()
      assert.include(recorded, "camera0")
      assert.deepStrictEqual(well("find", "/var/lib/camera-service", "!", "-user", "camera-service"), "")

      run("camera-service", "doctor", "--bundle", "/tmp/report.tar.gz")
      assert.include(well("tar", "-xzOf", "/tmp/report.tar.gz", "camera-service/log.txt"), "camera-service is serving")

      // root keeps a backup, and puts it back: the service is stopped for it, and knows the tokens of before again
      well("camera-service", "backup", "/root/box.backup")
      assert.strictEqual(run("camera-service", "backup", "/root/box.backup").status, 73)
      well("rm", "/var/lib/camera-service/secrets/jwt_secret")
      well("sh", "-c", "echo >>/etc/camera-service/config.yaml")
      well("camera-service", "restore", "/root/box.backup")
      assert.match(well("camera-service", "cameras", ...there), /^camera0 +CONNECTED/m)
      assert.include(well("tail", "-n", "1", "/etc/camera-service/config.yaml"), "refuse_percent")
      assert.strictEqual(well("stat", "-c", "%U:%G %a", "/etc/camera-service/config.yaml"), "root:camera-service 640")
      assert.match(well("ls", "/etc/camera-service"), /^config\.yaml\nconfig\.yaml\.before-restore-\S+$/)
      assert.deepStrictEqual(well("find", "/var/lib/camera-service", "!", "-user", "camera-service"), "")

      // reloaded and watched: systemd hears of it, also where Debian is small
      well("rm", "-f", "/bin/kill", "/usr/bin/kill")
      well("systemctl", "reload", "camera-service")
      yield* eventually(
        "it is active again",
        Effect.sync(() => show("ActiveState") === "active")
      )
      assert.notStrictEqual(show("WatchdogTimestampMonotonic"), "0")

      // upgraded, and back: settings and data stay; nobody is asked about settings that have others as defaults now
      well(
        "sh",
        "-c",
        "cd /tmp && dpkg-deb -R /srv/camera-service.deb next && sed -i 's/^Version: .*/Version: 99.0/' next/DEBIAN/control && find next -name config.yaml -exec sed -i '$ a # another' {} + && dpkg-deb --root-owner-group -Zgzip -z0 -b next next.deb"
      )
      const before = show("MainPID")
      well("dpkg", "--install", "/tmp/next.deb")
      assert.strictEqual(well("systemctl", "is-active", "camera-service"), "active")
      assert.notStrictEqual(show("MainPID"), before)
      well("dpkg", "--force-downgrade", "--install", "/srv/camera-service.deb")
      assert.strictEqual(recordings(), recorded)
      assert.include(well("cat", "/etc/camera-service/config.yaml"), "synthetic: 1")
      assert.match(well("camera-service", "cameras", ...there), /^camera0 +CONNECTED/m)

      // removed: everything stays but the program; purged: only what was recorded
      well("dpkg", "--remove", "camera-service")
      assert.notStrictEqual(run("systemctl", "is-active", "camera-service").status, 0)
      assert.strictEqual(run("pgrep", "-c", "-u", "camera-service", ".").said.trim(), "0")
      assert.include(well("ls", "/etc/camera-service"), "config.yaml")
      // who deleted its settings meanwhile has those of the beginning
      well("rm", "-r", "/etc/camera-service")
      install()
      assert.strictEqual(well("systemctl", "is-active", "camera-service"), "active")
      assert.strictEqual(well("stat", "-c", "%U:%G %a", "/etc/camera-service/config.yaml"), "root:camera-service 640")
      assert.include(well("dpkg", "--purge", "camera-service"), "are left in /var/lib/camera-service")
      assert.strictEqual(recordings(), recorded)
      assert.strictEqual(well("ls", "/var/lib/camera-service"), "recordings\nsnapshots")
      for (const gone of ["/etc/camera-service", "/usr/lib/camera-service"]) {
        assert.notStrictEqual(run("test", "-e", gone).status, 0, gone)
      }
      // what docs/box.md says is to be done, as it stands there; the clock of a box in a box is nobody's
      well("rm", "-r", "/var/lib/camera-service")
      const [, onBox = ""] = readFileSync(join(root, "docs/box.md"), "utf8").split(/^## /m)
      const blocks = [...onBox.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = ""]) =>
        block.replaceAll(/^camera-service doctor$/gm, "$& || [ $? -eq 1 ]")
      )
      assert.lengthOf(blocks, 4)
      well("sh", "-c", `set -e; cd /srv\n${blocks.join("")}`)
      const page = ["curl", "--silent", "--cacert", "/etc/camera-service/tls/cert.pem", "--output", "/dev/null"]
      const name = well("hostname")
      const status = well(
        ...page,
        "--write-out",
        "%{http_code}",
        "--resolve",
        `${name}:8443:127.0.0.1`,
        `https://${name}:8443/`
      )
      assert.strictEqual(status, "200")
      // none is left where nothing was recorded
      well("dpkg", "--purge", "camera-service")
      assert.notStrictEqual(run("test", "-e", "/var/lib/camera-service").status, 0)
    }),
  // two builds, and a life: a minute or two where the machine has nothing else to do
  900_000
)

it.live.skipIf(whyNoBox !== "")(
  "an image's root runs as no root, read-only but for its volume, says whether it is well, and ends when it is asked to",
  () => Effect.flatMap(startImage({ root: built ?? build() }), lives),
  300_000
)
