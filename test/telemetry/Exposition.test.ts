import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import { exposition, formatFor } from "../../src/telemetry/Exposition.ts"
import * as Metrics from "../../src/telemetry/Metrics.ts"

const filled = Effect.gen(function* () {
  yield* Metric.update(Metrics.ffmpegRestarts("FROZEN"), 2)
  yield* Metric.update(Metrics.cameraUp('ca"me\\ra'), 1)
  yield* Metric.update(Metrics.startTime, 1.5)
  const timed = Metric.histogram("a.wait", {
    description: "How long.",
    attributes: { unit: "seconds", kind: "x" },
    boundaries: [0.5, 1, 2]
  })
  for (const seconds of [0.1, 0.75, 3]) yield* Metric.update(timed, seconds)
  return yield* Metric.snapshot
}).pipe(Effect.provide(Layer.fresh(Metrics.layer)))

it.effect("metrics are told in Prometheus's text format", () =>
  Effect.map(filled, (snapshot) =>
    expect(exposition(snapshot, "text").split("\n")).toEqual([
      "# HELP a_wait_seconds How long.",
      "# TYPE a_wait_seconds histogram",
      'a_wait_seconds_bucket{kind="x",le="0.5"} 1',
      'a_wait_seconds_bucket{kind="x",le="1.0"} 2',
      'a_wait_seconds_bucket{kind="x",le="2.0"} 2',
      'a_wait_seconds_bucket{kind="x",le="+Inf"} 3',
      'a_wait_seconds_sum{kind="x"} 3.85',
      'a_wait_seconds_count{kind="x"} 3',
      "# HELP camera_ffmpeg_restarts_total Runs of FFmpeg that ended while their stream was needed.",
      "# TYPE camera_ffmpeg_restarts_total counter",
      'camera_ffmpeg_restarts_total{reason="FROZEN"} 2',
      "# HELP camera_up 1: the camera is plugged in and works, as far as is known.",
      "# TYPE camera_up gauge",
      'camera_up{camera="ca\\"me\\\\ra"} 1',
      "# HELP process_start_time_seconds When the service started, in Unix time.",
      "# TYPE process_start_time_seconds gauge",
      "process_start_time_seconds 1.5",
      ""
    ])
  )
)

it.effect("as OpenMetrics they have units, a counter's family has no suffix, and the text has an end", () =>
  Effect.map(filled, (snapshot) => {
    const text = exposition(snapshot, "openmetrics")
    expect(text).toContain("# TYPE camera_ffmpeg_restarts counter\n")
    expect(text).toContain('camera_ffmpeg_restarts_total{reason="FROZEN"} 2\n')
    expect(text).toContain("# UNIT a_wait_seconds seconds\n")
    expect(text.endsWith("# EOF\n")).toBe(true)
  })
)

it.effect("two services in one process count for themselves", () =>
  Effect.gen(function* () {
    yield* filled
    const other = yield* Effect.provide(Metric.snapshot, Layer.fresh(Metrics.layer))
    expect(other).toEqual([])
  })
)

it.effect.each([
  ["", "text"],
  ["*/*", "text"],
  ["text/plain", "text"],
  ["application/openmetrics-text", "openmetrics"],
  [
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "openmetrics"
  ],
  ["text/plain;q=0.9, application/openmetrics-text;q=0.1", "text"],
  ["application/openmetrics-text;q=0, text/plain", "text"],
  ["application/openmetrics-text;q=nonsense", "text"]
] as const)("a scraper that accepts %j gets %s", ([accept, format]) =>
  Effect.sync(() => expect(formatFor(accept)).toBe(format))
)
