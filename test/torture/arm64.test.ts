import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { emulatedFfmpeg, lives, startImage } from "../support/ImageBox.ts"
import { imageRoot } from "../support/ImageRoot.ts"

const arm64 = join(import.meta.dirname, "../support/arm64")
const whyNot = spawnSync(arm64, ["--check"], { encoding: "utf8" }).stdout.trim()
const isThere = (program: string) => spawnSync(program, ["--version"]).error === undefined

interface Report {
  readonly checks: ReadonlyArray<{ readonly name: string; readonly severity: string; readonly evidence: string }>
}

// apt-get install qemu-user-static mmdebstrap arch-test; minutes, and 200 MB of Debian's packages
it.live.skipIf(whyNot !== "" || !isThere("mmdebstrap") || !isThere("arch-test"))(
  "what is packed for arm64 runs on a Debian for arm64",
  () =>
    Effect.gen(function* () {
      const root = yield* imageRoot("arm64", arm64)
      const image = yield* startImage({ root, through: [arm64], environment: emulatedFfmpeg })
      const run = (...command: ReadonlyArray<string>) => image.run(...command).stdout.trim()
      assert.strictEqual(run("uname", "-m"), "aarch64")
      assert.match(run("camera-service", "--version"), /^camera-service \d/)
      assert.match(run("/usr/lib/camera-service/bin/mediamtx", "--version"), /^v\d/)
      const { checks } = JSON.parse(run("camera-service", "doctor", "--json")) as Report
      // a check has 4 s, which may be too little where it is emulated
      const ill = checks.filter(({ evidence, severity }) => severity === "failure" && !evidence.startsWith("hangs:"))
      assert.deepStrictEqual(ill, [])
      yield* lives(image)
    }),
  1_800_000
)
