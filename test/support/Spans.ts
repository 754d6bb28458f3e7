import * as Layer from "effect/Layer"
import * as Tracer from "effect/Tracer"
import { inspect } from "node:util"

// what a span that succeeded gave is exported nowhere
const failureOf = (status: Tracer.SpanStatus) =>
  status._tag === "Ended" && status.exit._tag === "Failure" ? status.exit.cause : undefined

/** Keeps the spans that a tracer would export, and gives all of them that it would write. */
export const tracing = () => {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span(options) {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  const texts = () =>
    spans.map(({ attributes, events, name, status }) =>
      inspect([name, attributes, events, failureOf(status)], { depth: 20 })
    )
  return { spans, layer: Layer.succeed(Tracer.Tracer, tracer), texts }
}
