import {
  BigValueGraphMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder
} from "@grafana/grafana-foundation-sdk/common"
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  MappingType,
  QueryVariableBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh
} from "@grafana/grafana-foundation-sdk/dashboard"
import { DataqueryBuilder } from "@grafana/grafana-foundation-sdk/prometheus"
import * as Stat from "@grafana/grafana-foundation-sdk/stat"
import * as StateTimeline from "@grafana/grafana-foundation-sdk/statetimeline"
import * as TimeSeries from "@grafana/grafana-foundation-sdk/timeseries"
import * as Units from "@grafana/grafana-foundation-sdk/units"

const prometheus = { type: "prometheus", uid: "${datasource}" }

/** Of the instances that are chosen in the dashboard. */
const chosen = (metric: string, ...labels: ReadonlyArray<string>): string =>
  `${metric}{${['instance=~"$instance"', ...labels].join(", ")}}`
const rate = (counter: string): string => `rate(${chosen(counter)}[$__rate_interval])`
/** What 95 of 100 took no longer than. */
const most = (histogram: string, ...by: ReadonlyArray<string>): string =>
  `histogram_quantile(0.95, sum by (${["le", ...by].join(", ")}) (${rate(`${histogram}_bucket`)}))`

const query = (expr: string, legend: string) => new DataqueryBuilder().refId("A").expr(expr).legendFormat(legend)

const legend = (isShown: boolean) =>
  new VizLegendOptionsBuilder()
    .displayMode(LegendDisplayMode.List)
    .placement(LegendPlacement.Bottom)
    .showLegend(isShown)

/** What 1 and 0 mean. */
const meaning = (...values: ReadonlyArray<readonly [value: 0 | 1, text: string, color: string]>) => [
  {
    type: MappingType.ValueToText as const,
    options: Object.fromEntries(values.map(([value, text, color]) => [value, { text, color }]))
  }
]

/** Null: from below all numbers. */
const colors = (...steps: ReadonlyArray<readonly [from: number | null, color: string]>) =>
  new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps.map(([value, color]) => ({ value, color })))

/** The last value of each instance. */
const now = (title: string, expr: string) =>
  new Stat.PanelBuilder()
    .title(title)
    .graphMode(BigValueGraphMode.None)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]))
    .withTarget(query(expr, "{{instance}}"))

/** When it was so, and when it was not. */
const states = (title: string, expr: string, name: string) =>
  new StateTimeline.PanelBuilder().title(title).legend(legend(false)).withTarget(query(expr, name))

const lines = (title: string, unit: string, expr: string, name: string) =>
  new TimeSeries.PanelBuilder()
    .title(title)
    .unit(unit)
    .min(0)
    .fillOpacity(10)
    .legend(legend(true))
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .withTarget(query(expr, name))

/** What is ill comes before what is slow. */
const panels = () => [
  now("Cameras that work", `sum by (instance) (${chosen("camera_up")})`).thresholds(
    colors([null, "red"], [1, "green"])
  ),
  now("MediaMTX runs", `min by (instance) (${chosen("camera_mediamtx_up")})`).mappings(
    meaning([1, "yes", "green"], [0, "no", "red"])
  ),
  // as storage.warn_percent is unless it is set, and as the alert CameraDiskFull
  now("Room for recordings", `${chosen("camera_storage_free_bytes")} / ${chosen("camera_storage_size_bytes")}`)
    .unit(Units.PercentUnit)
    .thresholds(colors([null, "red"], [0.05, "orange"], [0.2, "green"])),

  states("Faults", `${chosen("camera_fault")} == 1`, "{{instance}} {{camera}} {{fault}}")
    .noValue("none")
    .mappings(meaning([1, "fault", "red"])),
  states("Recordings", chosen("camera_recording_active"), "{{instance}} {{camera}}")
    .noValue("none")
    .mappings(meaning([1, "is written", "green"], [0, "stands", "red"])),
  lines(
    "Age of the file that is written",
    Units.Seconds,
    chosen("camera_recording_segment_age_seconds"),
    "{{instance}} {{camera}}"
  ),

  lines(
    "Streams by state",
    Units.Short,
    `sum by (instance, state) (${chosen("camera_streams")})`,
    "{{instance}} {{state}}"
  ).stacking(new StackingConfigBuilder().mode(StackingMode.Normal)),
  lines(
    "FFmpeg's ends, by reason",
    Units.OpsPerSecond,
    `sum by (instance, reason) (${rate("camera_ffmpeg_restarts_total")})`,
    "{{instance}} {{reason}}"
  ),
  lines("Stream: 95 of 100 are there within", Units.Seconds, most("camera_activation_seconds"), "all"),

  lines("Snapshot: 95 of 100 are there within", Units.Seconds, most("camera_snapshot_seconds", "tier"), "{{tier}}"),
  lines(
    "Calls, by method",
    Units.RequestsPerSecond,
    `sum by (rpc_method) (${rate("rpc_server_call_duration_seconds_count")})`,
    "{{rpc_method}}"
  ),
  lines(
    "Clients, and what they lost",
    Units.Short,
    chosen("camera_client_connections"),
    "{{instance}} connections"
  ).withTarget(query(rate("camera_notifications_dropped_total"), "{{instance}} lost a second").refId("B")),

  lines(
    "What limits refuse",
    Units.OpsPerSecond,
    `sum by (instance, limit) (${rate("camera_limit_refusals_total")})`,
    "{{instance}} {{limit}}"
  ),
  lines(
    "Memory of the service",
    Units.BytesIEC,
    chosen("process_resident_memory_bytes", 'job="camera-service"'),
    "{{instance}}"
  ),
  lines("Event loop: the most it was late", Units.Seconds, chosen("nodejs_eventloop_delay_max_seconds"), "{{instance}}")
]

/** For Grafana, what packaging/grafana has: three panels in a row. */
export const dashboard = (): Dashboard => {
  const board = new DashboardBuilder("camera-service")
    .uid("camera-service")
    .tags(["camera-service"])
    .time({ from: "now-6h", to: "now" })
    .refresh("30s")
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(new DatasourceVariableBuilder("datasource").type("prometheus"))
    .withVariable(
      new QueryVariableBuilder("instance")
        .datasource(prometheus)
        .query("label_values(camera_service_info, instance)")
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .includeAll(true)
        .multi(true)
        .current({ text: "All", value: "$__all" })
    )
  panels().forEach((panel, i) =>
    board.withPanel(
      panel
        .id(i + 1)
        .datasource(prometheus)
        .span(8)
        .height(7)
    )
  )
  return board.build()
}
