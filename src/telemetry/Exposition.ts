import type * as Metric from "effect/Metric"

/**
 * Metrics as Prometheus reads them: its text format (https://prometheus.io/docs/instrumenting/exposition_formats, 0.0.4),
 * or OpenMetrics 1.0.0, in which a counter's family has no `_total`, units are told, and the text has an end.
 */
export type TextFormat = "text" | "openmetrics"

export const contentTypes: Readonly<Record<TextFormat, string>> = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
}

/** What a client would rather have (`Accept`, RFC 9110, 12.5.1). */
export const formatFor = (accept: string): TextFormat =>
  quality(accept, "application/openmetrics-text") > quality(accept, "text/plain") ? "openmetrics" : "text"

const quality = (accept: string, type: string): number =>
  Math.max(
    0,
    ...accept.split(",").map((range) => {
      const [name = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase())
      if (name !== type) return 0
      const weight = parameters.find((parameter) => parameter.startsWith("q="))
      return weight === undefined ? 1 : Number(weight.slice(2)) || 0
    })
  )

/** All series as text, by their names: what `/metrics` answers. */
export const exposition = (snapshot: ReadonlyArray<Metric.Metric.Snapshot>, format: TextFormat): string => {
  const lines: Array<string> = []
  const families = [...Map.groupBy(snapshot, nameOf)].sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [name, series] of families) {
    lines.push(...head(name, series, format))
    for (const one of series) lines.push(...samples(name, one))
  }
  if (format === "openmetrics") lines.push("# EOF")
  return `${lines.join("\n")}\n`
}

/** OpenTelemetry's name with its unit, as its specification says (Prometheus and OpenMetrics compatibility). */
const nameOf = ({ attributes, id }: Metric.Metric.Snapshot): string => {
  const name = id.replaceAll(".", "_")
  const unit = attributes?.["unit"]
  return unit === undefined ? name : `${name}_${unit}`
}

const head = (
  name: string,
  series: ReadonlyArray<Metric.Metric.Snapshot>,
  format: TextFormat
): ReadonlyArray<string> => {
  const [first] = series
  if (first === undefined) return []
  const type = first.type.toLowerCase()
  const family = format === "text" && type === "counter" ? `${name}_total` : name
  const unit = first.attributes?.["unit"]
  return [
    `# HELP ${family} ${escaped(first.description ?? "")}`,
    `# TYPE ${family} ${type}`,
    ...(format === "openmetrics" && unit !== undefined ? [`# UNIT ${family} ${unit}`] : [])
  ]
}

const samples = (name: string, { attributes, ...metric }: Metric.Metric.Snapshot): ReadonlyArray<string> => {
  const labels = Object.entries(attributes ?? {}).filter(([label]) => label !== "unit")
  switch (metric.type) {
    case "Counter":
      return [sample(`${name}_total`, labels, metric.state.count)]
    case "Gauge":
      return [sample(name, labels, metric.state.value)]
    case "Histogram": {
      const { buckets, count, sum } = metric.state
      const limits = buckets.filter(([boundary]) => boundary !== Infinity)
      return [
        ...[...limits, [Infinity, count] as const].map(([boundary, below]) =>
          sample(`${name}_bucket`, [...labels, ["le", float(boundary)]], below)
        ),
        sample(`${name}_sum`, labels, sum),
        sample(`${name}_count`, labels, count)
      ]
    }
    // we have none
    case "Frequency":
    case "Summary":
      return []
  }
}

const sample = (name: string, labels: ReadonlyArray<readonly [string, string]>, value: number | bigint): string => {
  const shown = labels.map(([label, text]) => `${label.replaceAll(".", "_")}="${escaped(text).replaceAll('"', '\\"')}"`)
  return `${name}${shown.length === 0 ? "" : `{${shown.join(",")}}`} ${number(value)}`
}

const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")

const number = (value: number | bigint): string => String(value).replace("Infinity", "Inf")

/** Boundaries are floats in OpenMetrics, and a label is compared as a text. */
const float = (value: number): string => {
  if (value === Infinity) return "+Inf"
  return Number.isInteger(value) ? value.toFixed(1) : String(value)
}
