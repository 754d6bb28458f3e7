import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { keys, load } from "../../src/config/Load.ts"
import { liveNow } from "../../src/config/Settings.ts"
import { temporaryFolder } from "../storage/Workbench.ts"

const from = (environment: Readonly<Record<string, string>>, file?: string) => load({ file, environment })

const written = Effect.fnUntraced(function* (text: string) {
  const file = join(yield* temporaryFolder, "camera-service.yml")
  writeFileSync(file, text)
  return file
})

describe("a configuration", () => {
  it.effect("is one record to the operator: each section's keys, fixed or not, stand together", () =>
    Effect.gen(function* () {
      const file = yield* written("server: { port: 9000, max_connections: 5 }\nstreams: { stall_seconds: 4 }\n")
      const { report, settings } = yield* from({ CAMERA_SERVICE_SERVER_PORT: "9001" }, file)
      assert.strictEqual(settings.boot.server.port, 9001)
      assert.strictEqual(liveNow(settings).server.max_connections, 5)
      assert.strictEqual(Duration.toSeconds(liveNow(settings).streams.stall_seconds), 4)
      const told = (key: string) => report.find((one) => one.key === key)
      assert.deepInclude(told("server.port"), { value: "9001", source: "environment", changes: "at the start" })
      assert.deepInclude(told("server.max_connections"), { value: "5", source: "file", changes: "while it runs" })
      assert.deepInclude(told("streams.stall_seconds"), { value: "4", source: "file", changes: "while it runs" })
      assert.deepInclude(told("data_dir"), { value: '""', source: "default", changes: "at the start" })
      const sections = keys.map(({ key }) => key.split(".")[0])
      const begun = sections.filter((section, at) => section !== sections[at - 1])
      assert.deepStrictEqual(begun, [...new Set(sections)])
    })
  )

  it.effect("warns of a variable that is no key, with the one that is nearest, and never shows its value", () =>
    Effect.gen(function* () {
      const { warnings } = yield* from({
        CAMERA_SERVICE_HOST: "10.0.0.7",
        CAMERA_SERVICE_AUTH_JWT_SECERT: "hush",
        CAMERA_SERVICE_CONFIG: "/etc/camera.yml",
        CAMERA_PORT: "tcp://10.0.0.7:8002"
      })
      assert.deepStrictEqual(warnings, [
        "CAMERA_SERVICE_HOST is no key of the configuration and changes nothing",
        "CAMERA_SERVICE_AUTH_JWT_SECERT is no key of the configuration and changes nothing; " +
          "meant: CAMERA_SERVICE_AUTH_JWT_SECRET?"
      ])
    })
  )

  it.effect("is refused for a bad value in the environment, and for an unknown key in the file", () =>
    Effect.gen(function* () {
      const file = yield* written("server: { prot: 9000 }\n")
      const { problems } = yield* Effect.flip(from({ CAMERA_SERVICE_HEALTH_PORT: "0" }, file))
      assert.deepStrictEqual(
        problems.map(({ key }) => key),
        ["server.prot", "health.port (CAMERA_SERVICE_HEALTH_PORT)"]
      )
    })
  )
})
