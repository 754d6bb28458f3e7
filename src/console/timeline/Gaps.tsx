import { plural, span as spanWords } from "../format.ts"
import { Details } from "../parts/Details.tsx"
import { gapsIn, lengthOf, type Period } from "./period.ts"
import type { Row } from "./Track.tsx"

/** More nobody reads: zoomed in there are fewer. */
const most = 50

/** Why something was not recorded, of what is in sight: a gap is too thin for fingers, and no key points at one. */
export const Gaps = ({ period, rows }: { readonly period: Period; readonly rows: ReadonlyArray<Row> }) => {
  const gaps = gapsIn(rows, period)
  if (gaps.length === 0) return null
  return (
    <Details name={`${plural(gaps.length, "gap")} in sight`}>
      <ul>
        {gaps.slice(0, most).map(({ device, reason, ...gap }) => (
          <li key={`${device} ${gap.from}`}>
            {device} · {new Date(gap.from).toLocaleString()}, for {spanWords(lengthOf(gap))}: {reason}
          </li>
        ))}
      </ul>
      {gaps.length > most ? <p>The newest {most} are listed: zoom in to see others.</p> : undefined}
    </Details>
  )
}
