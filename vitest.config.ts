import { defineConfig } from "vitest/config"

const tests = "test/**/*.test.ts"
const integration = "test/integration/**/*.test.ts"
const lab = "test/lab/**/*.test.ts"
const torture = "test/torture/**/*.test.ts"
/** They take minutes on one core, and have no eye on the clock: scripts/test plays them beside the lab. */
const patient = ["debian", "package", "service-secrets", "RecordingStops", "DiskReserve"].map(
  (name) => `test/integration/${name}.test.ts`
)
/** With the real MediaMTX and FFmpeg: one file after the other, so that they do not compete for the cores. */
const withRealPrograms = {
  fileParallelism: false,
  // for hangs alone: what they wait for is limited each for itself
  testTimeout: 120_000,
  hookTimeout: 120_000
}

export default defineConfig({
  test: {
    silent: "passed-only",
    projects: [
      {
        test: {
          name: "unit",
          include: [tests],
          exclude: [integration, lab, torture],
          // for hangs alone: played hours take seconds, and many times that where the machine is busy
          testTimeout: 120_000
        }
      },
      { test: { name: "integration", include: [integration], exclude: patient, ...withRealPrograms } },
      { test: { name: "patient", include: patient, ...withRealPrograms } },
      {
        // with real V4L2 devices
        test: {
          name: "lab",
          include: [lab],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000
        }
      },
      {
        // for hours, and only when it is asked for
        test: {
          name: "torture",
          include: [torture],
          fileParallelism: false
        }
      }
    ]
  }
})
