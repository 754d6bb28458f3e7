import { assert, describe, it } from "@effect/vitest"
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parse } from "yaml"
import { documented } from "../support/Prometheus.ts"
import { promtool } from "../support/Promtool.ts"

const root = join(import.meta.dirname, "../..")
const read = (file: string) => readFileSync(join(root, file), "utf8")
const hasPromtool = promtool("--version") !== undefined

interface Rules {
  readonly groups: ReadonlyArray<{
    readonly rules: ReadonlyArray<{
      readonly alert: string
      readonly expr: string
      readonly annotations: { readonly runbook_url: string }
    }>
  }>
}
const rules = (parse(read("packaging/prometheus/alerts.yaml")) as Rules).groups.flatMap((group) => group.rules)
const { panels } = JSON.parse(read("packaging/grafana/camera-service.json")) as {
  readonly panels: ReadonlyArray<{ readonly title: string; readonly targets: ReadonlyArray<{ readonly expr: string }> }>
}
const expressions = [
  ...rules.map(({ alert, expr }) => ({ where: alert, expr })),
  ...panels.flatMap(({ targets, title }) => targets.map(({ expr }) => ({ where: title, expr })))
]

/** As the service names them: the exposition adds units and what counters and histograms have. */
const declared = read("src/telemetry/Metrics.ts")
const idOf = (name: string) =>
  name
    .replace(/_(total|bucket|sum|count)$/, "")
    .replace(/_(seconds|bytes)$/, "")
    .replaceAll("_", ".")
const named = (expr: string) =>
  [...expr.matchAll(/\b(?:camera|rpc_server|process|nodejs)_[a-z0-9_]+/g)].map(([name]) => name)

describe("alerts and the dashboard", () => {
  it("ask for metrics that the service has", () => {
    for (const { expr, where } of expressions) {
      const names = named(expr).filter((name) => name !== "rpc_method")
      assert.isTrue(names.length > 0 || expr.startsWith("up{"), where)
      for (const name of names) assert.include(declared, `"${idOf(name)}"`, where)
    }
  })

  it("have a paragraph of the runbook each", () => {
    const headings = [...read("docs/runbook.md").matchAll(/^## (\w+)$/gm)].map(([, name]) => name)
    assert.deepStrictEqual(
      headings,
      rules.map(({ alert }) => alert)
    )
    for (const { alert, annotations } of rules) {
      assert.strictEqual(annotations.runbook_url, `docs/runbook.md#${alert.toLowerCase()}`)
    }
  })

  it.runIf(hasPromtool)("sound when they should, and not before", () => {
    const { said, status } = promtool("test", "rules", join(root, "packaging/prometheus/alerts.test.yaml")) ?? {}
    assert.strictEqual(status, 0, said)
  })

  it.runIf(hasPromtool)("are what Prometheus loads, configured as docs/box.md says", () => {
    const folder = mkdtempSync(join(tmpdir(), "camera-service-prometheus-"))
    try {
      const file = join(folder, "prometheus.yml")
      writeFileSync(file, documented)
      copyFileSync(join(root, "packaging/prometheus/alerts.yaml"), join(folder, "alerts.yaml"))
      const { said, status } = promtool("check", "config", file) ?? {}
      assert.strictEqual(status, 0, said)
      assert.include(said, `${rules.length} rules found`)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it.runIf(hasPromtool)("are written as Prometheus reads them", () => {
    const folder = mkdtempSync(join(tmpdir(), "camera-service-rules-"))
    try {
      const file = join(folder, "rules.json")
      const asRules = expressions.map(({ expr }, i) => ({
        record: `expression_${i}`,
        expr: expr.replaceAll("$__rate_interval", "5m")
      }))
      // JSON is YAML
      writeFileSync(file, JSON.stringify({ groups: [{ name: "all", rules: asRules }] }))
      const { said, status } = promtool("check", "rules", file) ?? {}
      assert.strictEqual(status, 0, said)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
