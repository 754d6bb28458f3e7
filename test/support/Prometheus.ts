import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { join } from "node:path"
import { freePorts } from "./FreePorts.ts"

const root = join(import.meta.dirname, "../..")
const read = (file: string) => readFileSync(join(root, file), "utf8")
const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "camera-service")

/** Where scripts/setup has put it, or Debian; undefined: it could not be had. */
export const prometheusProgram = [join(cache, "prometheus/prometheus"), "/usr/bin/prometheus"].find((file) =>
  existsSync(file)
)

/** What docs/box.md has Prometheus configured with. */
export const documented =
  /^cat >\/etc\/prometheus\/prometheus\.yml <<END\n(.*?)^END$/ms.exec(read("docs/box.md"))?.[1] ?? ""

interface Alert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly state: "pending" | "firing"
}

interface Rule {
  /** RFC 3339; in the year 1 where it was not evaluated yet */
  readonly lastEvaluation: string
  readonly alerts: ReadonlyArray<Alert>
}

/** The alerts, when the oldest evaluation of a rule was (epoch milliseconds), and whether the box answers. */
const ask = (address: string) =>
  Effect.promise(async () => {
    const get = async (path: string) => (await (await fetch(`http://${address}/api/v1/${path}`)).json()) as unknown
    const up = (await get("query?query=up")) as {
      readonly data: { readonly result: ReadonlyArray<{ readonly value: readonly [number, string] }> }
    }
    const { data } = (await get("rules?type=alert")) as {
      readonly data: { readonly groups: ReadonlyArray<{ readonly rules: ReadonlyArray<Rule> }> }
    }
    const rules = data.groups.flatMap((group) => group.rules)
    return {
      alerts: rules.flatMap(({ alerts }) => alerts),
      evaluatedAt: rules.length === 0 ? 0 : Math.min(...rules.map((rule) => Date.parse(rule.lastEvaluation))),
      isUp: up.data.result.length > 0 && up.data.result.every(({ value }) => value[1] === "1")
    }
  })

/**
 * A real Prometheus that watches the box with this health port, configured as docs/box.md says, with our alerts: it asks
 * each second, which is also how long an answer may take, and an alert waits for no more than the next look.
 */
export const startPrometheus = Effect.fnUntraced(function* (program: string, health: string) {
  const [port = 0] = yield* freePorts(1)
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "camera-service-prometheus-"))),
    (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true, maxRetries: 5 }))
  )
  const quick = (text: string) =>
    text.replaceAll(/(for|_interval): \d+[ms]/g, "$1: 500ms").replace("scrape_interval: 500ms", "scrape_interval: 1s")
  writeFileSync(join(folder, "prometheus.yml"), quick(documented.replace("BOX:8003", health)))
  writeFileSync(join(folder, "alerts.yaml"), quick(read("packaging/prometheus/alerts.yaml")))
  const address = `127.0.0.1:${port}`
  const config = `--config.file=${join(folder, "prometheus.yml")}`
  const args = [config, `--storage.tsdb.path=${join(folder, "data")}`, `--web.listen-address=${address}`]
  yield* Effect.acquireRelease(
    Effect.sync(() => spawn(program, [...args, "--log.level=error"], { stdio: ["ignore", "ignore", "inherit"] })),
    (child) =>
      Effect.promise(async () => {
        const gone = once(child, "exit")
        if (child.exitCode === null && child.kill("SIGKILL")) await gone
      })
  )
  return ask(address)
})
