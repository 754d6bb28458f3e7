import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { said } from "../support/Said.ts"

const root = join(import.meta.dirname, "../..")
const arm64 = join(root, "test/support/arm64")
const isThere = (program: string) => spawnSync(program, ["--version"]).error === undefined
const canMake = process.getuid?.() === 0 && isThere("mmdebstrap")
const native = process.arch === "x64" ? "amd64" : process.arch

/** A command is tried again until it does well, for so many times, a second apart: for what hangs. */
const patience = 100
const mediaMtx = "/usr/lib/camera-service/bin/mediamtx"
const killMediaMtx =
  'for own in /proc/[0-9]*; do if [ "$(cat $own/comm 2>/dev/null)" = mediamtx ]; then kill -KILL ${own#/proc/}; fi; done'
const data = "/var/lib/camera-service"
const status = "systemctl show camera-service --value --property StatusText"
const steps = {
  machine: "uname -m",
  unit: "systemctl is-active camera-service",
  status: `${status} | grep -x '0 cameras, 0 recordings'`,
  version: "camera-service --version",
  none: "camera-service cameras && ! ls /dev/video*",
  plugged: "modprobe vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0",
  found: "camera-service cameras | grep CONNECTED",
  told: `${status} | grep '^1 camera'`,
  rights: "stat --format '%A %U:%G' /dev/video0",
  doctor: "camera-service doctor || [ $? -eq 1 ]",
  recording: "{ camera-service record camera0 --for 20s >/root/recorded 2>&1 & }",
  recorded: `${status} | grep ', 1 recording'`,
  live: "camera-service snapshot camera0 --json",
  stopped: `${status} | grep ', 0 recordings' && cat /root/recorded`,
  footage: `for file in ${data}/recordings/*; do ffprobe -v error -count_frames -show_entries stream=width,height,nb_read_frames -of csv=p=0 $file; done`,
  // tier 3: the camera is read while there is nobody to publish a stream to
  away: `mv ${mediaMtx} ${mediaMtx}.away && ${killMediaMtx}`,
  direct: "camera-service snapshot camera0 --json",
  back: `mv ${mediaMtx}.away ${mediaMtx}`,
  well: `${status} | grep -x '1 camera, 0 recordings'`,
  pictures: `for file in ${data}/snapshots/*; do ffprobe -v error -show_entries stream=codec_name,width,height -of csv=p=0 $file; done`,
  watchdog: "systemctl show camera-service --value --property WatchdogTimestampMonotonic | grep -v '^0$'",
  reload: "systemctl reload camera-service",
  reloaded: "systemctl is-active camera-service | grep -x active",
  restarts: "systemctl show camera-service --value --property NRestarts",
  log: "journalctl --unit camera-service --output cat"
} as const
type Step = keyof typeof steps
/** What a person would do once. */
const once: ReadonlyArray<Step> = ["plugged", "recording", "live", "footage", "away", "direct", "back", "reload"]

const script = Object.entries(steps)
  .map(([name, command]) => {
    const tries = once.some((step) => step === name) ? 0 : patience
    const tried = `tries=0; until (${command}) >/root/step 2>&1 || [ $tries -ge ${tries} ]; do tries=$((tries + 1)); sleep 1; done`
    return `${tried}; echo "@@ ${name}"; cat /root/step`
  })
  .join("\n")

const outcome = (text: string): Readonly<Record<Step, string>> =>
  Object.fromEntries(
    text.split(/^@@ /m).map((part) => {
      const [name = "", ...lines] = part.split("\n")
      return [name, lines.join("\n").trim()]
    })
  ) as Readonly<Record<Step, string>>

const machines = {
  amd64: { through: [], qemu: "qemu-system-x86_64", name: "x86_64" },
  arm64: { through: [arm64], qemu: "qemu-system-aarch64", name: "aarch64" }
} as const

describe("in a machine of its own", () => {
  for (const [arch, { name, qemu, through }] of Object.entries(machines)) {
    const canRun = arch === native || spawnSync(arm64, ["--check"]).status === 0
    // apt-get install mmdebstrap qemu-system-x86 qemu-system-arm, and for arm64 qemu-user-static arch-test
    it.live.skipIf(!canMake || !canRun || !isThere(qemu))(
      `the package for ${arch} shows and records the first camera of a Debian that was booted without one`,
      () =>
        Effect.gen(function* () {
          const folder = yield* Effect.acquireRelease(
            Effect.sync(() => mkdtempSync(join(tmpdir(), "camera-service-commands-"))),
            (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
          )
          const commands = join(folder, "commands")
          writeFileSync(commands, script)
          said(join(root, "scripts/package"), arch)
          const [file = ""] = globSync(`dist/packages/camera-service_*_${arch}.deb`, { cwd: root })
          const [program = "", ...args] = [...through, join(import.meta.dirname, "fixtures/machine")]
          const text = said(program, ...args, arch, file, commands, "2700")
          const { doctor, found, machine, ...others } = outcome(text)
          assert.strictEqual(machine, name)
          assert.strictEqual(others.unit, "active", text)
          assert.strictEqual(others.status, "0 cameras, 0 recordings", text)
          assert.match(others.version, /^camera-service \d/)
          assert.include(others.none, "no camera was found yet", text)
          assert.match(found, /^camera0 +CONNECTED +\d+x\d+ +\d+ +vivid/, text)
          assert.match(others.told, /^1 camera, 0 recordings/, text)
          assert.strictEqual(others.rights, "crw-rw---- root:video")
          assert.match(doctor, / 0 failures$/, text)
          // its pictures, by the stream and without, and what was recorded, are as large as the camera says
          const size = (/\d+x\d+/.exec(found)?.[0] ?? "").replace("x", ",")
          assert.include(others.live, '"tier_name": "live"', text)
          assert.include(others.direct, '"tier_name": "direct"', text)
          assert.strictEqual(others.pictures, `mjpeg,${size}\nmjpeg,${size}`, text)
          const [, frames = "0"] = new RegExp(`^${size},(\\d+)$`).exec(others.footage) ?? []
          assert.isAbove(Number(frames), 10, text)
          assert.match(others.well, /^1 camera, 0 recordings$/, text)
          assert.match(others.watchdog, /^\d+$/, text)
          assert.strictEqual(others.reloaded, "active", text)
          assert.strictEqual(others.restarts, "0", text)
        }),
      3_600_000
    )
  }
})
