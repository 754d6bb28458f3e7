import { assert, describe, it } from "@effect/vitest"
import { execFileSync, spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "../..")
const unit = join(root, "packaging/camera-service.service")
const text = readFileSync(unit, "utf8")
const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0

const lastLine = /^exec .*\n?.*"\$@"\n$/m
const flagsOf = (launcher: string) =>
  [...(lastLine.exec(readFileSync(join(root, launcher), "utf8"))?.[0] ?? "").matchAll(/--[a-z-]+(?:=\w+)?/g)].map(
    ([flag]) => flag
  )

describe("the unit", () => {
  it.runIf(hasSystemd)("leaves an intruder little: 2.0 or less of systemd's exposure", () => {
    const said = execFileSync("systemd-analyze", ["security", "--offline=true", "--threshold=20", unit], {
      encoding: "utf8"
    })
    const [, exposure = "10"] = /exposure level for \S+: ([\d.]+)/.exec(said) ?? []
    assert.isAtMost(Number(exposure), 2)
  })

  it("keeps what the service needs", () => {
    // Node's JIT; recordings that are closed by the service itself; the first camera of a box that was booted without
    assert.include(text, "MemoryDenyWriteExecute=no")
    assert.include(text, "KillMode=mixed")
    assert.include(text, "Wants=modprobe@videodev.service")
    for (const device of ["video4linux", "media", "drm", "dma_heap"])
      assert.include(text, `DeviceAllow=char-${device} rw`)
    const [, seconds = "0"] = /^TimeoutStopSec=(\d+)$/m.exec(text) ?? []
    assert.isAbove(Number(seconds), 10)
  })

  it("starts Node as the sources do", () => {
    assert.isNotEmpty(flagsOf("scripts/camera-service"))
    assert.deepStrictEqual(flagsOf("packaging/camera-service"), flagsOf("scripts/camera-service"))
  })
})
