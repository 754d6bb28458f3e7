import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import * as Context from "effect/Context"
import type { Boot } from "../config/BootSettings.ts"
import type { Live } from "../config/LiveSettings.ts"
import { liveNow, Settings } from "../config/Settings.ts"

/** A name of a log level, and a colour that a terminal shows it in (ECMA-48, SGR). */
const levels: Readonly<Record<string, readonly [number, string]>> = {
  Trace: [90, "trace"],
  Debug: [36, "debug"],
  Info: [32, "info"],
  Warn: [33, "warning"],
  Error: [31, "error"],
  Fatal: [35, "fatal"]
}

const minimum: Readonly<Record<Live["telemetry"]["log_level"], LogLevel.LogLevel>> = {
  trace: "Trace",
  debug: "Debug",
  info: "Info",
  warning: "Warn",
  error: "Error"
}

/** What an error says for itself, without its stack. */
const readable = (value: unknown): unknown => {
  if (!(value instanceof Error)) return value
  const { cause: _cause, message, name, stack: _stack, ...fields } = value as Error & Record<string, unknown>
  return { ...fields, ...(message === "" ? {} : { message }), ...("_tag" in fields ? {} : { name }) }
}

/** What was logged beside the words: an object's fields as the line's own, an error as `error`, the rest as `detail`. */
const fieldsOf = (details: ReadonlyArray<unknown>): Readonly<Record<string, unknown>> => {
  const rest: Array<unknown> = []
  const fields: Record<string, unknown> = {}
  for (const detail of details) {
    if (detail instanceof Error) fields["error"] = readable(detail)
    else if (typeof detail === "object" && detail !== null && !Array.isArray(detail)) Object.assign(fields, detail)
    else rest.push(detail)
  }
  return rest.length === 0 ? fields : { ...fields, detail: rest.length === 1 ? rest[0] : rest }
}

interface Line {
  readonly timestamp: string
  readonly level: string
  readonly message: string
  readonly [field: string]: unknown
}

/** One log entry as data: the words, what was logged beside them, the annotations, and the trace it belongs to. */
export const lineOf = ({ cause, date, fiber, logLevel, message }: Logger.Options<unknown>): Line => {
  const [words, ...details] = Array.isArray(message) ? (message as Array<unknown>) : [message]
  const span = Context.getOrUndefined(fiber.context, Tracer.ParentSpan)
  const head = {
    timestamp: date.toISOString(),
    level: levels[logLevel]?.[1] ?? logLevel,
    message: typeof words === "string" ? words : JSON.stringify(readable(words))
  }
  return {
    ...head,
    ...fieldsOf(details),
    ...fiber.getRef(References.CurrentLogAnnotations),
    // no field takes the place of these, which stand first
    ...head,
    ...(cause.reasons.length === 0 ? {} : { cause: Cause.pretty(cause) }),
    ...(span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId })
  }
}

const pretty = (options: Logger.Options<unknown>): string => {
  const { cause, level, message, span_id: _span, timestamp, trace_id: _trace, ...rest } = lineOf(options)
  const colour = levels[options.logLevel]?.[0] ?? 0
  const more = Object.keys(rest).length === 0 ? "" : ` \u001b[90m${JSON.stringify(rest)}\u001b[0m`
  const end = typeof cause === "string" ? `\n${cause}` : ""
  return `${timestamp.slice(11, 23)} \u001b[${colour}m${level.padEnd(7)}\u001b[0m ${message}${more}${end}`
}

export type Format = Boot["telemetry"]["log_format"]

/** For people; else a JSON object a line. */
export const isPretty = (format: Format): boolean => format === "pretty" || (format === "auto" && process.stderr.isTTY)

/** Structured logs on standard error: one JSON object a line, or for people on a terminal. */
export const layer = Layer.unwrap(
  Effect.map(Settings, (settings) => {
    const format = isPretty(settings.boot.telemetry.log_format)
      ? pretty
      : (options: Logger.Options<unknown>) => JSON.stringify(lineOf(options))
    const logger = Logger.make((options) => void process.stderr.write(`${format(options)}\n`))
    /** Effect's own minimum is fixed where fibers begin: the level is asked for at each line. */
    const atLevel = (to: Logger.Logger<unknown, void>) =>
      Logger.make<unknown, void>((options) => {
        const least = minimum[liveNow(settings).telemetry.log_level]
        if (LogLevel.isGreaterThanOrEqualTo(options.logLevel, least)) to.log(options)
      })
    return Layer.mergeAll(
      Logger.layer([atLevel(logger), atLevel(Logger.tracerLogger)]),
      Layer.succeed(References.MinimumLogLevel, "Trace")
    )
  })
)
