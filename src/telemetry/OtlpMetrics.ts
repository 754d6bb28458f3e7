import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as OtlpMetrics from "effect/observability/OtlpMetrics"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as Layer from "effect/Layer"
import { version } from "../config/Version.ts"

/** Export every 15 s, and once more when the service ends. */
export const exportTo = (endpoint: string) =>
  OtlpMetrics.layer({
    url: `${endpoint.replace(/\/+$/, "")}/v1/metrics`,
    resource: { serviceName: "camera-service", serviceVersion: version },
    exportInterval: "15 seconds",
    shutdownTimeout: "2 seconds"
  }).pipe(Layer.provide([OtlpSerialization.layerJson, FetchHttpClient.layer]))
