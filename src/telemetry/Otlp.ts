import * as NodeSdk from "@effect/opentelemetry/NodeSdk"
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http"
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-base"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as OtlpMetrics from "effect/observability/OtlpMetrics"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import { version } from "../config/Version.ts"

// one module, loaded later: two would have the bundler take what they share out of the part that every start loads

const resource = { serviceName: "camera-service", serviceVersion: version }

const below = (endpoint: string, path: string): string => `${endpoint.replace(/\/+$/, "")}${path}`

/** Exports traces in batches, at most a second late; what is left is sent when the service ends. */
export const tracesTo = (endpoint: string) =>
  NodeSdk.layer(() => ({
    resource,
    spanProcessor: new BatchSpanProcessor(new OTLPTraceExporter({ url: below(endpoint, "/v1/traces") }), {
      scheduledDelayMillis: 1000
    }),
    shutdownTimeout: "2 seconds"
  }))

/** Exports metrics every 15 s, and once more when the service ends. */
export const metricsTo = (endpoint: string) =>
  OtlpMetrics.layer({
    url: below(endpoint, "/v1/metrics"),
    resource,
    exportInterval: "15 seconds",
    shutdownTimeout: "2 seconds"
  }).pipe(Layer.provide([OtlpSerialization.layerJson, FetchHttpClient.layer]))
