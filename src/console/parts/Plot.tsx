interface PlotProps {
  readonly name: string
  /** percent, oldest first */
  readonly values: ReadonlyArray<number>
  /** the newest, as text: what is drawn is read out nowhere else */
  readonly now: string
  readonly points: number
}

const width = 300
const height = 40

/** A line of what a percentage has been lately, from 0 to 100. A library for plots would be larger than this page. */
export const Plot = ({ name, now, points, values }: PlotProps) => (
  <figure class="plot">
    <figcaption>
      {name} <b>{now}</b>
    </figcaption>
    <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      <polyline points={lineOf(values, points)} />
    </svg>
  </figure>
)

/** The newest at the right edge. */
const lineOf = (values: ReadonlyArray<number>, points: number): string =>
  values
    .map((value, index) => {
      const x = width - ((values.length - 1 - index) * width) / Math.max(1, points - 1)
      return `${x.toFixed(1)},${(height - (Math.min(100, Math.max(0, value)) / 100) * height).toFixed(1)}`
    })
    .join(" ")

export const Meter = ({
  isLow,
  name,
  percent
}: {
  readonly name: string
  readonly percent: number
  readonly isLow: boolean
}) => (
  <figure class="plot">
    <figcaption>
      {name} <b>{percent.toFixed(0)} %</b>
    </figcaption>
    <meter class={isLow ? "low" : ""} min={0} max={100} value={percent} aria-label={name} />
  </figure>
)
