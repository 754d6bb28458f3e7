import { assert, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { parse } from "yaml"

const file = join(import.meta.dirname, "../../packaging/otel/collector.yaml")
type Components = Readonly<Record<string, unknown>>
interface Collector {
  readonly receivers: { readonly otlp: { readonly protocols: { readonly http: { readonly endpoint: string } } } }
  readonly processors: Components
  readonly exporters: Components
  readonly service: {
    readonly pipelines: Readonly<
      Record<string, Readonly<Record<"receivers" | "processors" | "exporters", ReadonlyArray<string>>>>
    >
  }
}

it("the collector takes what the service sends, and each pipeline is made of what is there", () => {
  const collector = parse(readFileSync(file, "utf8")) as Collector
  const { pipelines } = collector.service
  assert.deepStrictEqual(Object.keys(pipelines), ["traces", "metrics"])
  for (const [name, pipeline] of Object.entries(pipelines)) {
    for (const kind of ["receivers", "processors", "exporters"] as const) {
      assert.isNotEmpty(pipeline[kind], name)
      for (const component of pipeline[kind]) assert.property(collector[kind], component, name)
    }
    // it has to be the first: what comes is refused before it is kept (its README)
    assert.strictEqual(pipeline.processors[0], "memory_limiter")
  }
  // OTLP over HTTP, as telemetry.otlp_endpoint has it
  assert.strictEqual(collector.receivers.otlp.protocols.http.endpoint, "0.0.0.0:4318")
})
