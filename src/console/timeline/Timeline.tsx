import { useSignal } from "@preact/signals"
import * as Effect from "effect/Effect"
import { useEffect, useRef } from "preact/hooks"
import { useConsole } from "../Context.ts"
import { copy } from "../copy.ts"
import { ownUrl } from "../files.ts"
import { clockTime, span as spanWords } from "../format.ts"
import { type Loaded, useAsked, useFiber } from "../hooks.ts"
import { act } from "../notices.ts"
import { Button } from "../parts/Button.tsx"
import { Empty, Shown } from "../parts/Shown.tsx"
import { addressOf, route } from "../routes.ts"
import { type Trouble, troubleOf } from "../words.ts"
import { day, lengthOf, nearestRecorded, type Period, second, showing, type Span, zoomed } from "./period.ts"
import { playRecorded } from "./Playback.ts"
import { Thumbnail } from "./Thumbnail.tsx"
import { type Row, Track } from "./Track.tsx"

/** A view that still moves asks for nothing. */
const settle = 150
const rates = [0.25, 0.5, 1, 2, 4, 8] as const
/** What a frame lasts where nothing else is known: of 25 a second. */
const frame = 0.04

interface Start {
  readonly device: string
  readonly at: number
}

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
        from: iso(from),
        to: iso(Math.max(to, from + second)),
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
  const { from, to } = marks.value
  const selection = from !== undefined && to !== undefined && to > from ? { from, to } : undefined

  return (
    <section class="timeline" aria-labelledby="timelineTitle">
      <h2 id="timelineTitle" class="unseen">
        Timeline
      </h2>
      <Shown asked={asked}>
        {() =>
          rows.length === 0 ? (
            <Empty icon="film">
              <p>Nothing has been recorded yet.</p>
              <p class="advice">The record button stands under each camera; what it records appears here at once.</p>
            </Empty>
          ) : (
            <>
              {start.value === undefined ? (
                <div class="recorded">
                  <p class="hint">Choose a time below to play what was recorded then.</p>
                </div>
              ) : (
                <Player
                  start={start.value}
                  head={head.value ?? start.value.at}
                  tell={(at) => {
                    head.value = at
                  }}
                  seek={seek}
                />
              )}
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
                rows={rows}
                period={period.value}
                show={(next) => void (period.value = next)}
                head={head.value}
                chosen={start.value?.device}
                selection={selection}
                seek={seek}
                onPoint={(at, device) =>
                  void (pointed.value = at === undefined || device === undefined ? undefined : { at, device })
                }
              />
              <div class="toolbar">
                <Pointed pointed={pointed.value} spans={spansOf(pointed.value?.device)} />
                {start.value === undefined ? undefined : (
                  <Export
                    device={start.value.device}
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

const iso = (at: number): string => new Date(at).toISOString()
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

/** What is under the pointer: the time, a picture of it, or why there is none. */
const Pointed = ({
  pointed,
  spans
}: {
  readonly pointed: { readonly at: number; readonly device: string } | undefined
  readonly spans: ReadonlyArray<Span>
}) => {
  if (pointed === undefined) return <p class="pointed count">Wheel or pinch zooms, a drag moves, a click plays.</p>
  const isRecorded = spans.some(({ from, to }) => pointed.at >= from && pointed.at < to)
  const before = spans.findLast(({ to }) => to <= pointed.at)
  return (
    <p class="pointed count">
      {isRecorded ? <Thumbnail device={pointed.device} at={pointed.at} /> : undefined}
      <span>
        {pointed.device} · {new Date(pointed.at).toLocaleString()}
        {isRecorded ? "" : ` · not recorded${before?.reason === undefined ? "" : `: ${before.reason}`}`}
      </span>
    </p>
  )
}

const Player = ({
  head,
  seek,
  start: { at, device },
  tell
}: {
  readonly start: Start
  readonly head: number
  readonly tell: (at: number) => void
  readonly seek: (at: number) => void
}) => {
  const { session } = useConsole()
  const video = useRef<HTMLVideoElement>(null)
  const trouble = useSignal<Trouble | undefined>(undefined)
  const isPlaying = useSignal(true)
  const rate = useSignal(1)

  useFiber(() => {
    const { current } = video
    if (current === null) return undefined
    trouble.value = undefined
    return Effect.scoped(playRecorded(current, device, at, session, tell)).pipe(
      Effect.catch((error) => Effect.sync(() => void (trouble.value = troubleOf(error))))
    )
  }, [device, at, session.connection.value])
  useEffect(() => {
    const { current } = video
    if (current === null) return
    // a new source sets both back
    const set = () => {
      current.playbackRate = rate.value
      current.defaultPlaybackRate = rate.value
    }
    set()
    current.addEventListener("loadedmetadata", set)
    return () => current.removeEventListener("loadedmetadata", set)
  }, [rate.value])

  const step = (frames: number) => {
    const { current } = video
    if (current === null) return
    current.pause()
    current.currentTime += frames * frame
  }
  const toggle = () => {
    const { current } = video
    if (current === null) return
    if (current.paused) void current.play()
    else current.pause()
  }
  const link = () => copy(`${location.origin}/${addressOf({ view: "recordings", device, at: Math.round(head) })}`)

  return (
    <div class="player">
      <div class="recorded">
        <video
          ref={video}
          muted
          autoPlay
          playsInline
          aria-label={`What was recorded of ${device}`}
          onPlay={() => void (isPlaying.value = true)}
          onPause={() => void (isPlaying.value = false)}
          onClick={toggle}
        />
        {trouble.value === undefined ? undefined : (
          <div class="obstacle" role="alert">
            <p class="what">It does not play</p>
            <p class="more">{trouble.value.what}</p>
          </div>
        )}
      </div>
      <div class="toolbar transport">
        <Button label={isPlaying.value ? "Pause" : "Play"} icon={isPlaying.value ? "pause" : "play"} onPress={toggle} />
        <Button label="−1 frame" onPress={() => step(-1)}>
          −1
        </Button>
        <Button label="+1 frame" onPress={() => step(1)}>
          +1
        </Button>
        <Button label="−10 s" onPress={() => seek(head - 10 * second)}>
          −10 s
        </Button>
        <label class="choice">
          <span class="word">Speed</span>
          <select
            value={String(rate.value)}
            onChange={({ currentTarget: { value } }) => void (rate.value = Number(value))}
          >
            {rates.map((one) => (
              <option key={one} value={String(one)}>
                {one}×
              </option>
            ))}
          </select>
        </label>
        <output class="count">
          {device} · {new Date(head).toLocaleString()}
        </output>
        <Button label="Copy a link to this time" icon="copy" onPress={() => void link()}>
          Link
        </Button>
      </div>
    </div>
  )
}

interface ExportProps {
  readonly device: string
  readonly selection: Period | undefined
  readonly mark: (which: "from" | "to") => void
  readonly clear: () => void
}

const Export = ({ clear, device, mark, selection }: ExportProps) => {
  const { session } = useConsole()
  const link = useRef<HTMLAnchorElement>(null)
  const save = (range: Period) =>
    act(
      session
        .ask((call) => call.export_recording({ device, from: iso(range.from), to: iso(range.to) }))
        .pipe(
          Effect.tap(({ download_url }) =>
            Effect.sync(() => {
              if (link.current === null) return
              link.current.href = ownUrl(download_url)
              link.current.click()
            })
          )
        ),
      ({ duration }) => `${clockTime(duration)} of ${device} is being saved.`
    )
  return (
    <span class="actions">
      <Button label="Export from here" onPress={() => mark("from")}>
        From here
      </Button>
      <Button label="Export to here" onPress={() => mark("to")}>
        To here
      </Button>
      <Button
        icon="download"
        label="Export"
        why={
          selection === undefined
            ? "Play to where it shall begin and press “From here”, then “To here” where it shall end."
            : undefined
        }
        onPress={() => {
          if (selection !== undefined) void save(selection)
        }}
      >
        {selection === undefined ? "Export" : `Export ${spanWords(lengthOf(selection))}`}
      </Button>
      {selection === undefined ? undefined : (
        <Button icon="close" label="Clear the selection" kind="quiet" onPress={clear} />
      )}
      <a ref={link} download="" hidden aria-hidden="true" />
    </span>
  )
}
