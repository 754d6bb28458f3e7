import * as Effect from "effect/Effect"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

/** A span as OTLP over HTTP writes it in JSON (opentelemetry-proto, trace.proto). */
export interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
}

interface Export {
  readonly resourceSpans?: ReadonlyArray<{
    readonly scopeSpans?: ReadonlyArray<{ readonly spans?: ReadonlyArray<Span> }>
  }>
}

/** Receives traces on a free port of this machine, for as long as the scope lives. */
export const startCollector = Effect.gen(function* () {
  const spans: Array<Span> = []
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Export
      for (const { scopeSpans = [] } of body.resourceSpans ?? []) {
        for (const { spans: some = [] } of scopeSpans) spans.push(...some)
      }
      response.setHeader("content-type", "application/json").end("{}")
    })
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () => Effect.sync(() => server.closeAllConnections())
  )
  const { port } = server.address() as AddressInfo
  return { endpoint: `http://127.0.0.1:${port}`, spans: (): ReadonlyArray<Span> => spans }
})

const milliseconds = (span: Span): number =>
  Number((BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1000n) / 1000

/** The first trace whose root has this name, a line a span, children below their parent; empty while it has not come. */
export const traceTree = (spans: ReadonlyArray<Span>, root: string): ReadonlyArray<string> => {
  const byStart = [...spans].sort((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)))
  const rows: Array<string> = []
  const add = (span: Span, depth: number): void => {
    rows.push(`${`${"  ".repeat(depth)}${span.name}`.padEnd(48)} ${milliseconds(span).toFixed(1).padStart(8)} ms`)
    for (const child of byStart) {
      if (child.traceId === span.traceId && child.parentSpanId === span.spanId) add(child, depth + 1)
    }
  }
  const first = byStart.find(({ name }) => name === root)
  if (first !== undefined) add(first, 0)
  return rows
}
