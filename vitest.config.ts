import { defineConfig } from "vitest/config"

const tests = "test/**/*.test.ts"
const integration = "test/integration/**/*.test.ts"
const lab = "test/lab/**/*.test.ts"
const torture = "test/torture/**/*.test.ts"
const named = (name: string) => `test/integration/${name}.test.ts`
/** They wait for what a page shows, however long that takes: scripts/test plays them beside the other integration tests. */
const pages = [
  "console",
  "console-errors",
  "console-looks",
  "console-network",
  "console-timeline",
  "console-views",
  "console-work"
].map(named)
/** They have no eye on the clock: scripts/test plays them beside the lab, which takes minutes of one core. */
const patient = [
  "console-firefox",
  "debian",
  "demo",
  "discovery",
  "DiskReserve",
  "FullDiskStart",
  "klv",
  "NetworkCameras",
  "OwnH264",
  "package",
  "power-cuts",
  "prometheus",
  "RecordingDiskGone",
  "RecordingStops",
  "service-external",
  "service-jwks",
  "service-rights",
  "service-secrets",
  "service-strangers",
  "service-tls",
  "shell",
  "Transcode"
].map(named)
/** Unit tests that forbid their process to ask for the machine's own time: each has one to itself. */
const simulated = ["test/simulation/**/*.test.ts", "test/testing/Simulator.test.ts"]
const withoutPrograms = {
  // where nothing is said it is one core fewer: half of them, on two
  maxWorkers: "100%",
  // for hangs alone: played hours take seconds, and many times that where the machine is busy
  testTimeout: 120_000
}
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
          exclude: [integration, lab, torture, ...simulated],
          // a process and all modules anew for each file took as long as its tests; no file leaves anything behind
          isolate: false,
          ...withoutPrograms
        }
      },
      { test: { name: "simulated", include: simulated, ...withoutPrograms } },
      { test: { name: "integration", include: [integration], exclude: [...pages, ...patient], ...withRealPrograms } },
      { test: { name: "pages", include: pages, ...withRealPrograms } },
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
