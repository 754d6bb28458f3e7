import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { copyFileSync, cpSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { emulated } from "../lab/emulated.ts"
import { lives, startImage } from "../support/ImageBox.ts"
import { imageRoot } from "../support/ImageRoot.ts"
import { said } from "../support/Said.ts"

const root = join(import.meta.dirname, "../..")
const lab = join(root, "test/lab/boot")
const isThere = (program: string) => spawnSync(program, ["--version"]).error === undefined
const canMake = process.getuid?.() === 0 && isThere("mmdebstrap")
const arch = process.arch === "x64" ? "amd64" : process.arch

/** A container of what packaging/Containerfile makes, and what asks buildah for it, in a place of its own. */
const built = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "camera-service-image-"))),
    (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true, maxRetries: 5 }))
  )
  const storage = ["--root", join(folder, "storage"), "--runroot", join(folder, "run"), "--storage-driver", "vfs"]
  const buildah = (...args: ReadonlyArray<string>) => said("buildah", ...storage, ...args).trim()
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
  said(join(root, "scripts/package"), arch)
  mkdirSync(join(context, "dist/packages"), { recursive: true })
  for (const name of globSync(`dist/packages/camera-service_*_${arch}.deb`, { cwd: root })) {
    copyFileSync(join(root, name), join(context, name))
  }
  cpSync(join(root, "packaging"), join(context, "packaging"), { recursive: true })
  const file = join(context, "packaging/Containerfile")
  const how = ["--isolation", "chroot", "--network", "host", "--pull-never", "--format", "docker", "--quiet"]
  const what = ["--build-arg", `TARGETARCH=${arch}`, "--tag", "camera-service", "--file", file, context]
  buildah("bud", ...trusting, ...how, ...what)
  return { buildah, container: buildah("from", ...trusting, "--pull-never", "camera-service") }
})

// apt-get install buildah mmdebstrap; minutes, and 400 MB of Debian's packages
it.live.skipIf(!canMake || !isThere("buildah"))(
  "packaging/Containerfile makes an image, on a Debian that no registry was asked for, and it lives as is promised",
  () =>
    Effect.gen(function* () {
      const { buildah, container } = yield* built
      const { Docker } = JSON.parse(buildah("inspect", "--type", "image", "camera-service"))
      assert.strictEqual(Docker.config.User, "10001")
      assert.deepStrictEqual(Object.keys(Docker.config.Volumes), ["/var/lib/camera-service"])
      assert.deepStrictEqual(Docker.config.Healthcheck.Test, ["CMD", "/usr/lib/camera-service/bin/healthy"])
      const run = (...command: ReadonlyArray<string>) =>
        buildah("run", "--isolation", "chroot", container, "--", ...command)
      assert.strictEqual(run("id", "-u"), "10001")
      assert.match(run("camera-service", "--version"), /^camera-service \d/)
      assert.include(run("camera-service", "config", "show"), '"0.0.0.0"')
      assert.match(run("ffmpeg", "-version"), /^ffmpeg version \d/)
      yield* lives(yield* startImage({ root: buildah("mount", container) }))
    }),
  1_200_000
)

it.live.skipIf(!canMake)(
  "the root that scripts/image makes is as good, here, and in the lab with the kernel's own cameras",
  () =>
    Effect.gen(function* () {
      const made = yield* imageRoot(arch)
      yield* lives(yield* startImage({ root: made }))
      if (spawnSync(lab, ["--check"]).status !== 0) return
      const program = [process.execPath, ...emulated, join(import.meta.dirname, "fixtures/imageInLab.ts"), made]
      said(lab, "--limit", "1500", "--", ...program)
    }),
  2_400_000
)
