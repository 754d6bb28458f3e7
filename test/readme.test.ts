import { assert, describe, it } from "@effect/vitest"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "..")
const readme = readFileSync(join(root, "README.md"), "utf8")
const metrics = readFileSync(join(root, "src/telemetry/Metrics.ts"), "utf8")
const [, dashboard = ""] = /On a dashboard:\n(.*?)\n- \*\*/s.exec(readme) ?? []
const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
  readFileSync(join(root, "package.json"), "utf8")
) as Readonly<Record<string, Readonly<Record<string, string>>>>

describe("the README", () => {
  it("has a client in ten lines, as it says", () => {
    const [, example = ""] = /```ts\n(import .*?)\n```/s.exec(readme) ?? []
    assert.isAtMost(example.split("\n").length, 10)
    assert.include(example, "CameraClient.make")
  })

  for (const name of Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
    it(`says what ${name} is for`, () => assert.include(readme, `\`${name}\``))
  }

  for (const folder of readdirSync(join(root, "src"), { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    it(`says what src/${folder.name} holds`, () => assert.include(readme, `\`src/${folder.name}\``))
  }

  for (const [, name = ""] of dashboard.matchAll(/\b((?:camera|rpc_server|process|nodejs)_[a-z0-9_]+)(?=`|\[)/g)) {
    const id = name
      .replace(/_total$/, "")
      .replace(/_(seconds|bytes)$/, "")
      .replaceAll("_", ".")
    it(`puts ${name} on a dashboard, which is a metric`, () => assert.include(metrics, `"${id}"`))
  }

  for (const [, script = ""] of readme.matchAll(/\.\/(scripts\/[a-z-]+)/g)) {
    it(`names ${script}, which is there`, () => assert.isTrue(existsSync(join(root, script))))
  }
})

describe("package.json", () => {
  it("pins every dependency exactly", () => {
    for (const version of Object.values({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
      assert.match(version, /^\d+\.\d+\.\d+$/)
    }
  })
})
