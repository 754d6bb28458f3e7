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
const steps = {
  machine: "uname -m",
  unit: "systemctl is-active camera-service",
  status: "systemctl show camera-service --value --property StatusText | grep -x '0 cameras, 0 recordings'",
  version: "camera-service --version",
  none: "camera-service cameras",
  plugged: "modprobe vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0",
  found: "camera-service cameras | grep CONNECTED",
  told: "systemctl show camera-service --value --property StatusText | grep '^1 camera'",
  doctor: "camera-service doctor || [ $? -le 2 ]",
  watchdog: "systemctl show camera-service --value --property WatchdogTimestampMonotonic | grep -v '^0$'",
  reloaded: "systemctl reload camera-service && systemctl is-active camera-service",
  restarts: "systemctl show camera-service --value --property NRestarts"
} as const
type Step = keyof typeof steps

const script = Object.entries(steps)
  .map(([name, command]) => {
    const tried = `tries=0; until (${command}) >/root/step 2>&1 || [ $tries -ge ${patience} ]; do tries=$((tries + 1)); sleep 1; done`
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
      `the package for ${arch} finds the first camera of a Debian that was booted without one`,
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
          const text = said(program, ...args, arch, file, commands, "1200")
          const { doctor, found, machine, ...others } = outcome(text)
          assert.strictEqual(machine, name)
          assert.strictEqual(others.unit, "active", text)
          assert.strictEqual(others.status, "0 cameras, 0 recordings", text)
          assert.match(others.version, /^camera-service \d/)
          assert.match(found, /^camera0 +CONNECTED +\d+x\d+ +\d+ +vivid/, text)
          assert.match(others.told, /^1 camera, 0 recordings/, text)
          // most of its checks take longer than they may where they are emulated
          assert.match(doctor, /^ok +configuration +\/etc\/camera-service\/config\.yaml: good$/m, text)
          assert.match(others.watchdog, /^\d+$/, text)
          assert.strictEqual(others.reloaded, "active", text)
          assert.strictEqual(others.restarts, "0", text)
        }),
      1_800_000
    )
  }
})
