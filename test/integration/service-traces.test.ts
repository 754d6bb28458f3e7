import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { collector, type Span } from "../support/OtlpCollector.ts"
import { clientOf, startReady } from "../support/Service.ts"

/** The names from the root of a span's trace down to it; it begins with "?" where a parent is missing. */
const lineage = (span: Span, all: ReadonlyMap<string, Span>): ReadonlyArray<string> => {
  if (span.parentSpanId === undefined || span.parentSpanId === "") return [span.name]
  const parent = all.get(span.parentSpanId)
  return parent === undefined ? ["?", span.name] : [...lineage(parent, all), span.name]
}

/** The spans of a service's whole life, under the names of their ancestors; all have come when it has ended. */
const traceOf = (spans: ReadonlyArray<Span>, rpc: string) => {
  const all = new Map(spans.map((span) => [span.spanId, span]))
  const roots = spans.filter(({ name }) => name === `rpc ${rpc}`)
  assert.lengthOf(roots, 1)
  const own = spans.filter(({ traceId }) => traceId === roots[0]?.traceId)
  return { root: roots[0], own, lines: own.map((span) => lineage(span, all)) }
}

it.live("one snapshot of an idle camera is one trace, from the request to FFmpeg's start and MediaMTX's answers", () =>
  Effect.gen(function* () {
    const { endpoint, spans } = yield* collector
    const service = yield* startReady({ settings: { TELEMETRY_OTLP_ENDPOINT: endpoint } })
    const client = yield* clientOf(service, { role: "operator" })
    const taken = yield* client.call.take_snapshot({
      device: "camera0",
      max_age_ms: 0
    })
    assert.strictEqual(taken.tier_name, "activated")
    // the picture is there before MediaMTX has the stream; this returns when it has
    yield* client.call.start_streaming({ device: "camera0" })
    yield* service.kill("SIGTERM")
    assert.strictEqual((yield* service.ended).code, 0)

    const { lines, root } = traceOf(spans(), "take_snapshot")
    assert.isTrue(root?.parentSpanId === undefined || root.parentSpanId === "")
    assert.deepInclude([...(root?.attributes ?? [])], { key: "rpc.method", value: { stringValue: "take_snapshot" } })
    const leading = (name: string) => lines.filter((line) => line.at(-1) === name)
    for (const name of ["Snapshots.take", "ActivatedCapture.capture", "Ffmpeg.start", "MediaMtxApi.getPath"]) {
      const found = leading(name)
      assert.isNotEmpty(found, name)
      for (const line of found) assert.deepStrictEqual(line[0], "rpc take_snapshot", line.join(" > "))
    }
    const [start = []] = leading("Ffmpeg.start")
    assert.includeMembers([...start], ["Snapshots.take", "ActivatedCapture.capture", "Streams.open"])
  })
)

it.live("a request's trace does not run into another's", () =>
  Effect.gen(function* () {
    const { endpoint, spans } = yield* collector
    const service = yield* startReady({ settings: { TELEMETRY_OTLP_ENDPOINT: endpoint } })
    const client = yield* clientOf(service, { role: "operator" })
    yield* client.call.start_streaming({ device: "camera0" })
    yield* client.call.take_snapshot({ device: "camera0" })
    yield* service.kill("SIGTERM")
    assert.strictEqual((yield* service.ended).code, 0)
    const streaming = traceOf(spans(), "start_streaming")
    const snapshot = traceOf(spans(), "take_snapshot")
    assert.notStrictEqual(streaming.root?.traceId, snapshot.root?.traceId)
    assert.isTrue(streaming.own.some(({ name }) => name === "Ffmpeg.start"))
    assert.isFalse(snapshot.own.some(({ name }) => name === "Ffmpeg.start"))
    for (const line of [...streaming.lines, ...snapshot.lines]) assert.match(line[0] ?? "", /^rpc /, line.join(" > "))
  })
)
