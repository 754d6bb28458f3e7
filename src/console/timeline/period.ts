/** What part of time is shown, and what is recorded in it; all in epoch milliseconds. Plain functions. */

export interface Period {
  readonly from: number
  readonly to: number
}

export const second = 1000
const minute = 60 * second
const hour = 60 * minute
export const day = 24 * hour

/** From a frame or so to what is kept at most. */
const shortest = 2 * second
const longest = 60 * day

/** As the service has it. */
export const isoTime = (at: number): string => new Date(at).toISOString()

export const lengthOf = ({ from, to }: Period): number => to - from

/** A period around what stays where it is: zoomed in by a factor below 1, out by one above. */
export const zoomed = (period: Period, around: number, factor: number): Period => {
  const length = Math.min(longest, Math.max(shortest, lengthOf(period) * factor))
  const share = (around - period.from) / lengthOf(period)
  const from = around - share * length
  return { from, to: from + length }
}

export const moved = ({ from, to }: Period, by: number): Period => ({ from: from + by, to: to + by })

/** The same length, so that `at` is in it: unmoved where it is already. */
export const showing = (period: Period, at: number): Period => {
  if (at >= period.from && at <= period.to) return period
  return moved(period, at - period.from - lengthOf(period) / 2)
}

/** 0 at its beginning, 1 at its end. */
export const shareOf = ({ from, to }: Period, at: number): number => (at - from) / (to - from)

const steps = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800
].map((seconds) => seconds * second)

export interface Tick {
  readonly at: number
  /** a new day begins */
  readonly isDay: boolean
}

/** Where the scale has its lines: at most so many, at round times of the reader's clock. `offset`: its zone's, in milliseconds. */
export const ticks = (period: Period, most: number, offset: number): ReadonlyArray<Tick> => {
  const step = steps.find((one) => lengthOf(period) / one <= most) ?? steps.at(-1) ?? day
  const found: Array<Tick> = []
  for (let local = Math.ceil((period.from + offset) / step) * step; local <= period.to + offset; local += step) {
    found.push({ at: local - offset, isDay: local % day === 0 })
  }
  return found
}

/** How a tick is written: seconds only where they differ. */
export const tickWords = ({ at, isDay }: Tick, period: Period): string =>
  isDay
    ? new Date(at).toLocaleDateString(undefined, { day: "numeric", month: "short" })
    : new Date(at).toLocaleTimeString(undefined, {
        hour: "2-digit",
        minute: "2-digit",
        ...(lengthOf(period) < 10 * minute ? { second: "2-digit" } : {})
      })

export interface Span extends Period {
  readonly isRecording: boolean
  /** why it ended */
  readonly reason: string | undefined
}

export interface Gap extends Period {
  readonly reason: string | undefined
}

/** What lies between recorded spans. */
export const gapsBetween = (spans: ReadonlyArray<Span>): ReadonlyArray<Gap> =>
  spans.slice(1).map((span, index) => {
    const before = spans[index]
    return { from: before?.to ?? span.from, to: span.from, reason: before?.reason }
  })

/** Those in this period that have a reason, newest first. */
export const gapsIn = (
  rows: ReadonlyArray<{ readonly device: string; readonly spans: ReadonlyArray<Span> }>,
  { from, to }: Period
): ReadonlyArray<Gap & { readonly device: string }> =>
  rows
    .flatMap(({ device, spans }) =>
      gapsBetween(spans).map((gap) => ({ device, from: gap.from, to: gap.to, reason: gap.reason }))
    )
    .filter((gap) => gap.reason !== undefined && gap.to > from && gap.from < to)
    .sort((one, other) => other.from - one.from)

/** The recorded time at or after `at`; where there is none, the last one before it. */
export const nearestRecorded = (spans: ReadonlyArray<Span>, at: number): number | undefined => {
  for (const { from, to } of spans) {
    if (at < from) return from
    if (at < to) return at
  }
  const last = spans.at(-1)
  return last === undefined ? undefined : Math.max(last.from, last.to - second)
}

/** Why there is no picture of a time; undefined: there is one. */
export const whyMissing = (spans: ReadonlyArray<Span>, at: number, now: number): string | undefined => {
  if (spans.some(({ from, to }) => at >= from && at < to)) return undefined
  if (at > now) return "still to come"
  const reason = spans.findLast(({ to }) => to <= at)?.reason
  return reason === undefined ? "not recorded" : `not recorded: ${reason}`
}
