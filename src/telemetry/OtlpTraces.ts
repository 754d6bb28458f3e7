import * as NodeSdk from "@effect/opentelemetry/NodeSdk"
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http"
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-base"
import { version } from "../config/Version.ts"

/** Export in batches, at most a second late; what is left is sent when the service ends. */
export const exportTo = (endpoint: string) =>
  NodeSdk.layer(() => ({
    resource: { serviceName: "camera-service", serviceVersion: version },
    spanProcessor: new BatchSpanProcessor(new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, "")}/v1/traces` }), {
      scheduledDelayMillis: 1000
    }),
    shutdownTimeout: "2 seconds"
  }))
