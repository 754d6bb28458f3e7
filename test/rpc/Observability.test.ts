import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import { NotFound } from "../../schema/Errors.ts"
import { listening } from "../support/Log.ts"
import { tracing } from "../support/Spans.ts"
import { connectAs, layer } from "./Harness.ts"

const handlers = {
  get_streams: () => Effect.die(new Error("broken")),
  get_stream_url: () => Effect.fail(new NotFound({ resource: "stream", id: "camera0" })),
  get_camera_list: () => Effect.succeed({ cameras: [], total: 0, connected: 0 }).pipe(Effect.withSpan("Devices.list"))
}

/** What is logged as a warning or an error, and the spans that a tracer would export. */
const observed = () => {
  const { layer: loggers, lines } = listening()
  const { layer: tracers, spans } = tracing()
  const at = (wanted: string) => lines.filter(({ level }) => level === wanted)
  return { errors: () => at("error"), warnings: () => at("warning"), spans, loggers, tracers }
}

interface Failure {
  readonly error: { readonly data: { readonly request_id: string } }
}

it.effect("each request is a span with the conventional names, and no child of the service's start", () => {
  const { loggers, spans, tracers } = observed()
  return Effect.gen(function* () {
    const client = yield* connectAs("viewer")
    spans.length = 0
    yield* client.call({ jsonrpc: "2.0", id: "a", method: "get_camera_list" })
    const [request, child] = spans
    expect(request?.name).toBe("rpc get_camera_list")
    expect(request?.kind).toBe("server")
    expect(request?.parent._tag).toBe("None")
    expect(Object.fromEntries(request?.attributes ?? [])).toMatchObject({
      "rpc.system.name": "jsonrpc",
      "rpc.method": "get_camera_list",
      "jsonrpc.request.id": '"a"'
    })
    expect(child?.name).toBe("Devices.list")
    expect(child?.traceId).toBe(request?.traceId)
    yield* client.call({ jsonrpc: "2.0", id: 2, method: "get_stream_url", params: { device: "camera0" } })
    expect(spans.at(-1)?.attributes.get("rpc.response.status_code")).toBe("-32010")
  }).pipe(Effect.provide(layer(handlers)), Effect.withSpan("start"), Effect.provide([loggers, tracers]))
})

it.effect("a defect is logged once, and the reply's request_id is the id of its trace", () => {
  const { errors, loggers, spans, tracers } = observed()
  return Effect.gen(function* () {
    const client = yield* connectAs("viewer")
    const reply = (yield* client.call({ jsonrpc: "2.0", id: 1, method: "get_streams" })) as Failure
    const span = spans.find(({ name }) => name === "rpc get_streams")
    expect(span?.traceId).toBe(reply.error.data.request_id)
    expect(span?.attributes.get("rpc.response.status_code")).toBe("-32603")
    expect(errors()).toHaveLength(1)
    expect(errors()[0]?.["cause"]).toContain("broken")
    expect(errors()[0]).toMatchObject({ request_id: reply.error.data.request_id })
  }).pipe(Effect.provide(layer(handlers).pipe(Layer.provide([loggers, tracers]))))
})

it.effect("a defect's number is in the log also where nothing is traced", () => {
  const { errors, loggers } = observed()
  return Effect.gen(function* () {
    const client = yield* connectAs("viewer")
    const reply = (yield* client.call({ jsonrpc: "2.0", id: 1, method: "get_streams" })) as Failure
    expect(reply.error.data).toEqual({
      request_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      suggestion: expect.stringContaining("request_id")
    })
    expect(errors()).toHaveLength(1)
    expect(errors()[0]).toMatchObject({ request_id: reply.error.data.request_id })
  }).pipe(Effect.provide(layer(handlers).pipe(Layer.provide(loggers))))
})

it.effect("a call that is forbidden stands in the log once in a while, with who tried it and from where", () => {
  const { loggers, warnings } = observed()
  return Effect.gen(function* () {
    const client = yield* connectAs("viewer", undefined, { address: "192.0.2.1" })
    const forbidden = { jsonrpc: "2.0", id: 1, method: "stop_recording", params: { device: "camera0" } }
    for (let n = 0; n < 3; n++) yield* client.call(forbidden)
    const known = { peer: "192.0.2.1", user: "viewer", have_role: "viewer", required_role: "operator" }
    const first = { level: "warning", message: "a call was forbidden", method: "stop_recording", ...known }
    expect(warnings()).toEqual([first])
    yield* client.call({ ...forbidden, method: "start_recording" })
    expect(warnings()[1]).toEqual({ ...first, method: "start_recording" })
    yield* TestClock.adjust("10 seconds")
    yield* client.call(forbidden)
    expect(warnings()[2]).toEqual({ ...first, times_unsaid_before: 2 })
  }).pipe(Effect.provide(layer(handlers).pipe(Layer.provide(loggers))))
})

it.effect("typed errors are no news for the log", () => {
  const { errors, loggers } = observed()
  return Effect.gen(function* () {
    const client = yield* connectAs("viewer")
    yield* client.call({ jsonrpc: "2.0", id: 2, method: "get_stream_url", params: { device: "camera0" } })
    yield* client.call({ jsonrpc: "2.0", id: 2, method: "get_stream_url", params: {} })
    expect(errors()).toEqual([])
  }).pipe(Effect.provide(layer(handlers).pipe(Layer.provide(loggers))))
})
