import * as Effect from "effect/Effect"
import { createServer } from "node:http"

/** A span as OTLP/HTTP carries it in JSON (opentelemetry-proto, trace.proto), as far as tests look at it. */
export interface Span {
  readonly traceId: string
  readonly spanId: string
  /** absent or empty: the root of its trace */
  readonly parentSpanId?: string
  readonly name: string
  readonly attributes: ReadonlyArray<{ readonly key: string; readonly value: Readonly<Record<string, unknown>> }>
}

/** The same of a metric (metrics.proto). */
export interface OtlpMetric {
  readonly name: string
  readonly unit: string
  readonly histogram?: { readonly dataPoints: ReadonlyArray<{ readonly count: number } & Pick<Span, "attributes">> }
}

interface Export {
  readonly resourceSpans?: ReadonlyArray<{
    readonly scopeSpans: ReadonlyArray<{ readonly spans: ReadonlyArray<Span> }>
  }>
  readonly resourceMetrics?: ReadonlyArray<{
    readonly scopeMetrics: ReadonlyArray<{ readonly metrics: ReadonlyArray<OtlpMetric> }>
  }>
}

export interface OtlpCollector {
  /** what `telemetry.otlp_endpoint` is set to */
  readonly endpoint: string
  /** all that has come so far */
  readonly spans: () => ReadonlyArray<Span>
  readonly metrics: () => ReadonlyArray<OtlpMetric>
  /** the same, as the text that came */
  readonly text: () => string
}

/** Takes what a service exports, and keeps it. */
export const collector = Effect.gen(function* () {
  const spans: Array<Span> = []
  const metrics: Array<OtlpMetric> = []
  const texts: Array<string> = []
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString()
      texts.push(text)
      const { resourceMetrics = [], resourceSpans = [] } = JSON.parse(text) as Export
      metrics.push(...resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics)))
      spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)))
      response.writeHead(200, { "content-type": "application/json" }).end("{}")
    })
  })
  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )
  const endpoint = `http://127.0.0.1:${port}`
  return {
    endpoint,
    spans: () => spans,
    metrics: () => metrics,
    text: () => texts.join("\n")
  } satisfies OtlpCollector as OtlpCollector
})
