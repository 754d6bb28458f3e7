import { assert, it } from "@effect/vitest"
import { execFileSync, spawnSync } from "node:child_process"
import { copyFileSync, cpSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const root = join(import.meta.dirname, "../..")
const isThere = (program: string) => spawnSync(program, ["--version"]).error === undefined
const canBuild = process.getuid?.() === 0 && isThere("buildah") && isThere("mmdebstrap")
const said = (program: string, ...args: ReadonlyArray<string>) =>
  execFileSync(program, args, {
    encoding: "utf8",
    // the Debian package is compressed as little as can be
    env: { ...process.env, DPKG_DEB_COMPRESSOR_LEVEL: "0" },
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 1 << 26
  })

// apt-get install buildah mmdebstrap; minutes, and 400 MB of Debian's packages
it.skipIf(!canBuild)(
  "packaging/Containerfile makes an image, on a Debian that no registry was asked for",
  { timeout: 1_200_000 },
  () => {
    const folder = mkdtempSync(join(tmpdir(), "camera-service-image-"))
    const buildah = (...args: ReadonlyArray<string>) => {
      const storage = ["--root", join(folder, "storage"), "--runroot", join(folder, "run"), "--storage-driver", "vfs"]
      return said("buildah", ...storage, ...args).trim()
    }
    try {
      // all that it takes is made here
      const policy = join(folder, "policy.json")
      writeFileSync(policy, JSON.stringify({ default: [{ type: "insecureAcceptAnything" }] }))
      const trusting = ["--signature-policy", policy]
      const base = join(folder, "base.tar")
      // what is mounted in the new root is seen, and removed, by nobody else
      const apart = ["--mount", "--propagation", "private"]
      said("unshare", ...apart, "mmdebstrap", "--quiet", "--variant=minbase", "bookworm", base)
      const empty = buildah("from", "scratch")
      buildah("add", "--quiet", empty, base, "/")
      buildah("config", "--env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", empty)
      buildah("commit", ...trusting, "--quiet", "--rm", empty, "docker.io/library/debian:bookworm-slim")

      const context = join(folder, "context")
      const arch = process.arch === "x64" ? "amd64" : process.arch
      said(join(root, "scripts/package"), arch)
      mkdirSync(join(context, "dist/packages"), { recursive: true })
      for (const name of globSync(`dist/packages/camera-service_*_${arch}.deb`, { cwd: root })) {
        copyFileSync(join(root, name), join(context, name))
      }
      cpSync(join(root, "packaging"), join(context, "packaging"), { recursive: true })
      const file = join(context, "packaging/Containerfile")
      const how = [
        ...trusting,
        "--isolation",
        "chroot",
        "--network",
        "host",
        "--pull-never",
        "--format",
        "docker",
        "--quiet"
      ]
      buildah("bud", ...how, "--build-arg", `TARGETARCH=${arch}`, "--tag", "camera-service", "--file", file, context)

      const { Docker } = JSON.parse(buildah("inspect", "--type", "image", "camera-service"))
      assert.strictEqual(Docker.config.User, "10001")
      assert.deepStrictEqual(Object.keys(Docker.config.Volumes), ["/var/lib/camera-service"])
      assert.deepStrictEqual(Docker.config.Healthcheck.Test, ["CMD", "/usr/lib/camera-service/bin/healthy"])
      const container = buildah("from", ...trusting, "--pull-never", "camera-service")
      const run = (...command: ReadonlyArray<string>) =>
        buildah("run", "--isolation", "chroot", container, "--", ...command)
      assert.strictEqual(run("id", "-u"), "10001")
      assert.match(run("camera-service", "--version"), /^camera-service \d/)
      assert.include(run("camera-service", "config", "show"), '"0.0.0.0"')
      assert.match(run("ffmpeg", "-version"), /^ffmpeg version \d/)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
)
