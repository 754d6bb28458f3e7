import { useSignal } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import { useConsole } from "../Context.ts"
import { type Loaded, useAsked } from "../hooks.ts"
import { say } from "../notices.ts"
import { Button } from "../parts/Button.tsx"
import { Shown } from "../parts/Shown.tsx"
import { route } from "../routes.ts"
import { Export } from "./Export.tsx"
import { Gaps } from "./Gaps.tsx"
import { day, isoTime, lengthOf, nearestRecorded, type Period, second, showing, type Span, zoomed } from "./period.ts"
import { Player } from "./Player.tsx"
import { Pointed } from "./Pointed.tsx"
import type { Start } from "./RecordedVideo.tsx"
import { type Row, Track } from "./Track.tsx"

/** A view that still moves asks for nothing. */
const settle = 150
/** So many cameras play at once: what a browser decodes without haste. */
const mostTogether = 4

/** Everything that was recorded, on one scale of time; it plays across files and gaps. */
export const Timeline = () => {
  const { cameras, session } = useConsole()
  const now = session.serverNow()
  const linked = startOf(route.peek())
  const period = useSignal<Period>(
    linked === undefined
      ? { from: now - day, to: now + day / 48 }
      : { from: linked.at - 600_000, to: linked.at + 600_000 }
  )
  const settled = useSignal(period.peek())
  const start = useSignal<Start | undefined>(linked)
  /** cameras that play in step with that one */
  const together = useSignal<ReadonlyArray<string>>([])
  const video = useRef<HTMLVideoElement>(null)
  /** what is wanted of it: a new source begins paused */
  const isPlaying = useSignal(true)
  const head = useSignal<number | undefined>(linked?.at)
  const pointed = useSignal<{ readonly at: number; readonly device: string } | undefined>(undefined)
  const marks = useSignal<{ readonly from?: number; readonly to?: number }>({})

  useEffect(() => {
    const timer = setTimeout(() => void (settled.value = period.value), settle)
    return () => clearTimeout(timer)
  }, [period.value])

  const asked = useAsked(
    (call) => {
      // as much again on both sides is there when it is moved
      const length = lengthOf(settled.peek())
      const from = settled.peek().from - length
      const to = Math.min(settled.peek().to + length, session.serverNow() + day)
      return call.get_recorded_spans({
        from: isoTime(from),
        to: isoTime(Math.max(to, from + second)),
        resolution_seconds: length / second / 2000
      })
    },
    [settled.value, cameras.recording.value],
    5000
  )

  const rows = rowsOf(
    asked.state.value,
    (device) => cameras.list.value?.find((one) => one.device === device)?.name ?? ""
  )
  const spansOf = (device: string | undefined) => rows.find((row) => row.device === device)?.spans ?? []
  const seek = (at: number, device = start.value?.device ?? rows[0]?.device) => {
    if (device === undefined) return
    const recorded = nearestRecorded(spansOf(device), at) ?? at
    start.value = { device, at: recorded }
    head.value = recorded
    period.value = showing(period.value, recorded)
  }
  const others = together.value.filter((device) => device !== start.value?.device)
  const join = (device: string) => {
    if (others.includes(device)) together.value = others.filter((one) => one !== device)
    else if (others.length + 1 < mostTogether) together.value = [...others, device]
    else say({ kind: "failed", what: `${mostTogether} cameras play at once: take another away first.` })
  }
  const { from, to } = marks.value
  const selection = from !== undefined && to !== undefined && to > from ? { from, to } : undefined

  return (
    <section class="timeline" aria-labelledby="timelineTitle">
      <h2 id="timelineTitle" class="unseen">
        Timeline
      </h2>
      <Shown asked={asked}>
        {() =>
          // the list of files says so
          rows.length === 0 ? (
            <></>
          ) : (
            <>
              <Player
                video={video}
                start={start.value}
                others={others}
                head={head.value ?? start.value?.at ?? now}
                isPlaying={isPlaying}
                tell={(at) => {
                  head.value = at
                }}
                seek={seek}
              />
              <div class="toolbar">
                <Button
                  label="Zoom in"
                  onPress={() => void (period.value = zoomed(period.value, head.value ?? middle(period.value), 0.5))}
                >
                  Zoom in
                </Button>
                <Button
                  label="Zoom out"
                  onPress={() => void (period.value = zoomed(period.value, head.value ?? middle(period.value), 2))}
                >
                  Zoom out
                </Button>
                <Button
                  label="Today"
                  onPress={() =>
                    void (period.value = { from: session.serverNow() - day, to: session.serverNow() + day / 48 })
                  }
                >
                  Last 24 hours
                </Button>
                <label class="choice">
                  <span class="word">Go to</span>
                  <input
                    type="datetime-local"
                    step="1"
                    aria-label="Go to a time"
                    value={localTime(head.value ?? middle(period.value))}
                    onChange={({ currentTarget: { value } }) => {
                      const at = new Date(value).getTime()
                      if (!Number.isNaN(at)) seek(at)
                    }}
                  />
                </label>
              </div>
              <Track
                video={video}
                rows={rows}
                period={period.value}
                show={(next) => void (period.value = next)}
                head={head.value}
                chosen={start.value?.device}
                others={others}
                join={join}
                selection={selection}
                seek={seek}
                play={(at, device) => {
                  isPlaying.value = true
                  seek(at, device)
                }}
                onPoint={(at, device) =>
                  void (pointed.value = at === undefined || device === undefined ? undefined : { at, device })
                }
              />
              <Gaps period={period.value} rows={rows} />
              <div class="toolbar">
                <Pointed pointed={pointed.value} spans={spansOf(pointed.value?.device)} />
                {start.value === undefined ? undefined : (
                  <Export
                    devices={[start.value.device, ...others]}
                    selection={selection}
                    mark={(which) => void (marks.value = { ...marks.value, [which]: head.value })}
                    clear={() => void (marks.value = {})}
                  />
                )}
              </div>
            </>
          )
        }
      </Shown>
    </section>
  )
}

const middle = ({ from, to }: Period): number => (from + to) / 2

/** As `datetime-local` has it: the reader's clock, without a zone. */
const localTime = (at: number): string => {
  const here = new Date(at - new Date(at).getTimezoneOffset() * 60_000)
  return here.toISOString().slice(0, 19)
}

const startOf = (shown: ReturnType<typeof route.peek>): Start | undefined =>
  shown.view === "recordings" && shown.device !== undefined && shown.at !== undefined
    ? { device: shown.device, at: shown.at }
    : undefined

interface Spans {
  readonly cameras: ReadonlyArray<{
    readonly device: string
    readonly spans: ReadonlyArray<{
      readonly start: string
      readonly end: string
      readonly recording?: true
      readonly reason?: string
    }>
  }>
}

const rowsOf = (state: Loaded<Spans>, nameOf: (device: string) => string): ReadonlyArray<Row> =>
  state._tag !== "Loaded"
    ? []
    : state.value.cameras.map(({ device, spans }) => ({
        device,
        name: nameOf(device),
        spans: spans.map(({ end, reason, recording, start }): Span => ({
          from: Date.parse(start),
          to: Date.parse(end),
          isRecording: recording === true,
          reason
        }))
      }))
