import * as NodeSdk from "@effect/opentelemetry/NodeSdk"
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http"
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from "@opentelemetry/sdk-trace-base"
import * as Config from "effect/Config"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as OtlpMetrics from "effect/observability/OtlpMetrics"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import { version } from "../config/Version.ts"
import { Machine } from "../ground/Machine.ts"
import { makeTrouble } from "./Trouble.ts"

// one module, loaded later: two would have the bundler take what they share out of the part that every start loads

/** A signal's own URL, of a collector's base URL or of where it takes traces (OTLP, "OTLP/HTTP Request"). */
export const signalUrl = (endpoint: string, signal: "traces" | "metrics"): string =>
  `${endpoint.replace(/\/+$/, "").replace(/\/v1\/traces$/, "")}/v1/${signal}`

/** What the environment says of this service, by OpenTelemetry's own variables (its SDK configuration). */
const environment = Effect.gen(function* () {
  const text = Schema.StringFromUriComponent
  const attributes: Readonly<Record<string, string>> = yield* Config.Record(text, text, "OTEL_RESOURCE_ATTRIBUTES", {
    trim: true,
    keepEmptyValues: true
  }).pipe(
    Config.withDefault({}),
    // the SDK itself warns of what it cannot read
    Effect.orElseSucceed((): Readonly<Record<string, string>> => ({}))
  )
  const name = yield* Effect.orElseSucceed(Config.option(Config.String("OTEL_SERVICE_NAME")), Option.none<string>)
  return { attributes, name: Option.getOrUndefined(name) }
})

/** Who sends: other instances and machines send the same. */
const resource = Effect.gen(function* () {
  const machine = yield* Machine
  const { uuidV4 } = yield* SecureRandom
  const { attributes, name } = yield* environment
  return {
    serviceName: name ?? attributes["service.name"] ?? "camera-service",
    serviceVersion: attributes["service.version"] ?? version,
    attributes: { "service.instance.id": yield* uuidV4(), "host.name": machine.name(), ...attributes }
  }
})

/** OpenTelemetry's `SpanStatusCode.ERROR`. */
const failed = 2

/** `error.type` of a span that failed: what clients were answered, or the error's name (semantic conventions). */
const typeErrors = ({ attributes, events, status }: ReadableSpan): void => {
  if (status.code !== failed || attributes["error.type"] !== undefined) return
  const exception = events.findLast(({ name }) => name === "exception")?.attributes?.["exception.type"]
  attributes["error.type"] = attributes["rpc.response.status_code"] ?? exception ?? "_OTHER"
}

/** Tells of each batch whether it came through: undefined, or the reason why it did not. */
const told = (exporter: SpanExporter, tell: (failure: string | undefined) => void): SpanExporter => ({
  export: (spans, done) => {
    spans.forEach(typeErrors)
    exporter.export(spans, (result) => {
      tell(result.code === 0 ? undefined : (result.error?.message ?? "it did not say why"))
      done(result)
    })
  },
  forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  shutdown: () => exporter.shutdown()
})

/** A collector that has too much to do may take every other batch. */
const proof = "1 minute"

/** One line when the collector is away, and one when it is back for good, however many batches were lost. */
export const logOutcomes = Effect.fnUntraced(function* (outcomes: Queue.Dequeue<string | undefined>, url: string) {
  const trouble = makeTrouble(proof)
  const next = Effect.flatMap(Queue.take(outcomes), (failure) =>
    failure === undefined
      ? trouble.isOver(`traces get to ${url} again`)
      : trouble.began(`traces do not get to ${url}: they are lost until it answers`, { reason: failure })
  )
  return yield* Effect.forever(next)
})

/** Exports traces in batches, at most a second late; what is left is sent when the service ends. */
export const tracesTo = (endpoint: string) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const url = signalUrl(endpoint, "traces")
      const outcomes = yield* Queue.sliding<string | undefined>(16)
      yield* Effect.forkScoped(logOutcomes(outcomes, url))
      const exporter = told(new OTLPTraceExporter({ url }), (failure) => void Queue.offerUnsafe(outcomes, failure))
      const spanProcessor = new BatchSpanProcessor(exporter, { scheduledDelayMillis: 1000, maxExportBatchSize: 64 })
      return NodeSdk.layer(
        Effect.map(resource, (self) => ({ resource: self, spanProcessor, shutdownTimeout: "2 seconds" as const }))
      )
    })
  )

/** Exports metrics every 15 s, and once more when the service ends. */
export const metricsTo = (endpoint: string) =>
  Layer.unwrap(
    Effect.map(resource, (self) =>
      OtlpMetrics.layer({
        url: signalUrl(endpoint, "metrics"),
        resource: self,
        exportInterval: "15 seconds",
        shutdownTimeout: "2 seconds"
      })
    )
  ).pipe(Layer.provide([OtlpSerialization.layerJson, FetchHttpClient.layer]))
