import { useSignal } from "@preact/signals"
import type { ComponentChildren, RefObject } from "preact"
import { useEffect, useRef } from "preact/hooks"
import { useConsole } from "../Context.ts"
import { span as spanWords } from "../format.ts"
import { Icon } from "../parts/Icon.tsx"
import { stepFrames, togglePlay } from "./transport.ts"
import { gapsBetween, lengthOf, moved, type Period, shareOf, type Span, ticks, tickWords, zoomed } from "./period.ts"

export interface Row {
  readonly device: string
  readonly name: string
  readonly spans: ReadonlyArray<Span>
}

interface Props {
  /** what the keys play and step */
  readonly video: RefObject<HTMLVideoElement | null>
  readonly rows: ReadonlyArray<Row>
  readonly period: Period
  readonly show: (period: Period) => void
  /** where the player is */
  readonly head: number | undefined
  readonly chosen: string | undefined
  /** cameras that play in step with that one */
  readonly others: ReadonlyArray<string>
  readonly join: (device: string) => void
  readonly selection: Period | undefined
  /** the camera undefined: the one that is chosen */
  readonly seek: (at: number, device?: string) => void
  /** the same, and it plays */
  readonly play: (at: number, device?: string) => void
  readonly onPoint: (at: number | undefined, device: string | undefined) => void
  readonly children?: ComponentChildren
}

const percent = (share: number): string => `${(share * 100).toFixed(4)}%`
/** A finger that moves less means what is under it. */
const slop = 5

/** Time from left to right, a row for each camera: wheel and pinch zoom, a drag moves, a click or Enter plays from there. */
export const Track = ({
  chosen,
  head,
  join,
  onPoint,
  others,
  period,
  play,
  rows,
  seek,
  selection,
  show,
  video
}: Props) => {
  const { cameras } = useConsole()
  const area = useRef<HTMLDivElement>(null)
  const latest = useRef(period)
  latest.current = period
  const pointers = useRef(new Map<number, number>())
  const isDragged = useSignal(false)
  const width = useSignal(800)

  const timeAt = (x: number): number => {
    const box = area.current?.getBoundingClientRect()
    if (box === undefined || box.width === 0) return latest.current.from
    return latest.current.from + ((x - box.left) / box.width) * lengthOf(latest.current)
  }

  useEffect(() => {
    const { current } = area
    if (current === null) return
    // not by Preact: it has to be able to keep the page from scrolling
    const wheel = (event: WheelEvent) => {
      event.preventDefault()
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) {
        const by = event.deltaX === 0 ? event.deltaY : event.deltaX
        show(moved(latest.current, (by / current.clientWidth) * lengthOf(latest.current)))
      } else show(zoomed(latest.current, timeAt(event.clientX), 1.0015 ** event.deltaY))
    }
    current.addEventListener("wheel", wheel, { passive: false })
    const observer = new ResizeObserver(() => void (width.value = current.clientWidth))
    observer.observe(current)
    return () => {
      current.removeEventListener("wheel", wheel)
      observer.disconnect()
    }
  }, [])

  const press = (event: PointerEvent) => {
    // two fingers mean no place
    isDragged.value = pointers.current.size > 0
    pointers.current.set(event.pointerId, event.clientX)
    area.current?.setPointerCapture(event.pointerId)
  }
  const move = (event: PointerEvent) => {
    const before = pointers.current.get(event.pointerId)
    const row = rowAt(event)
    if (before === undefined) return onPoint(timeAt(event.clientX), row)
    if (!isDragged.value && Math.abs(event.clientX - before) < slop) return
    isDragged.value = true
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)
    if (other === undefined) {
      show(moved(latest.current, timeAt(before) - timeAt(event.clientX)))
    } else {
      const [, fixed] = other
      const factor = Math.abs(before - fixed) / Math.max(1, Math.abs(event.clientX - fixed))
      show(zoomed(latest.current, timeAt(fixed), factor))
    }
    pointers.current.set(event.pointerId, event.clientX)
  }
  const release = (event: PointerEvent) => {
    const wasHere = pointers.current.delete(event.pointerId)
    if (wasHere && !isDragged.value && event.type === "pointerup") play(timeAt(event.clientX), rowAt(event))
  }
  const rowAt = ({ clientY }: PointerEvent): string | undefined => {
    for (const row of area.current?.querySelectorAll<HTMLElement>("[data-device]") ?? []) {
      const { bottom, top } = row.getBoundingClientRect()
      if (clientY >= top && clientY < bottom) return row.dataset["device"]
    }
    return undefined
  }

  const keys = (event: KeyboardEvent) => {
    const middle = head !== undefined && head >= period.from && head <= period.to ? head : (period.from + period.to) / 2
    const step = lengthOf(period) / 100
    const rate = chosen === undefined ? 0 : cameras.rateOf(chosen)
    const actions: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => seek((head ?? middle) - step),
      ArrowRight: () => seek((head ?? middle) + step),
      Home: () => seek(period.from),
      End: () => seek(period.to),
      " ": () => togglePlay(video.current),
      ",": () => stepFrames(video.current, -1, rate),
      ".": () => stepFrames(video.current, 1, rate),
      PageUp: () => show(moved(period, -lengthOf(period) / 2)),
      PageDown: () => show(moved(period, lengthOf(period) / 2)),
      "+": () => show(zoomed(period, middle, 0.5)),
      "=": () => show(zoomed(period, middle, 0.5)),
      "-": () => show(zoomed(period, middle, 2))
    }
    const action = actions[event.key]
    if (action === undefined || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    action()
  }

  const lines = ticks(
    period,
    Math.max(2, Math.floor(width.value / 90)),
    -new Date(period.from).getTimezoneOffset() * 60_000
  )
  return (
    <div class="track">
      <ul class="trackNames" aria-label="Cameras with recordings">
        {rows.map(({ device, name }) => (
          <li key={device} class="trackHead">
            <button
              type="button"
              class="trackName"
              aria-pressed={device === chosen}
              title={name}
              onClick={() => seek(head ?? period.from, device)}
            >
              {device}
            </button>
            {chosen === undefined || device === chosen ? undefined : (
              <button
                type="button"
                class="trackJoin"
                aria-pressed={others.includes(device)}
                aria-label={`${device} in step`}
                title={others.includes(device) ? `Stop playing ${device} too` : `Play ${device} too, in step`}
                onClick={() => join(device)}
              >
                <Icon name={others.includes(device) ? "check" : "plus"} />
              </button>
            )}
          </li>
        ))}
      </ul>
      <div
        ref={area}
        class={`trackArea ${isDragged.value ? "dragged" : ""}`}
        role="slider"
        tabIndex={0}
        aria-label="Time: arrow keys step, space plays, comma and full stop step by a frame, plus and minus zoom, page keys move"
        aria-valuemin={Math.round(period.from / 1000)}
        aria-valuemax={Math.round(period.to / 1000)}
        aria-valuenow={Math.round((head ?? period.from) / 1000)}
        aria-valuetext={new Date(head ?? period.from).toLocaleString()}
        onPointerDown={press}
        onPointerMove={move}
        onPointerUp={release}
        onPointerCancel={release}
        onPointerLeave={() => onPoint(undefined, undefined)}
        onKeyDown={keys}
      >
        <div class="scale" aria-hidden="true">
          {lines.map((tick) => (
            <span
              key={tick.at}
              class={tick.isDay ? "tick day" : "tick"}
              style={{ left: percent(shareOf(period, tick.at)) }}
            >
              {tickWords(tick, period)}
            </span>
          ))}
        </div>
        {rows.map(({ device, spans }) => (
          <div key={device} class={`trackRow ${device === chosen ? "chosen" : ""}`} data-device={device}>
            {gapsBetween(spans).map((gap) =>
              gap.reason === undefined ? undefined : (
                <i
                  key={gap.from}
                  class="gap"
                  style={place(period, gap)}
                  title={`${gap.reason}, ${spanWords(lengthOf(gap))}`}
                />
              )
            )}
            {spans.map((span) => (
              <b key={span.from} class={span.isRecording ? "span now" : "span"} style={place(period, span)} />
            ))}
          </div>
        ))}
        {selection === undefined ? undefined : <div class="selection" style={place(period, selection)} />}
        {head === undefined || head < period.from || head > period.to ? undefined : (
          <div class="head" style={{ left: percent(shareOf(period, head)) }} />
        )}
      </div>
    </div>
  )
}

const place = (period: Period, { from, to }: Period) => ({
  left: percent(shareOf(period, Math.max(from, period.from))),
  width: percent(Math.max(0, shareOf(period, Math.min(to, period.to)) - shareOf(period, Math.max(from, period.from))))
})
