import { useConsole } from "../Context.ts"
import { type Span, whyMissing } from "./period.ts"
import { Thumbnail } from "./Thumbnail.tsx"

/** What is under the pointer: the time, a picture of it, or why there is none. */
export const Pointed = ({
  pointed,
  spans
}: {
  readonly pointed: { readonly at: number; readonly device: string } | undefined
  readonly spans: ReadonlyArray<Span>
}) => {
  const { session } = useConsole()
  if (pointed === undefined) return <p class="pointed count">Wheel or pinch zooms, a drag moves, a click plays.</p>
  const missing = whyMissing(spans, pointed.at, session.serverNow())
  return (
    <p class="pointed count">
      {missing === undefined ? <Thumbnail device={pointed.device} at={pointed.at} /> : undefined}
      <span>
        {pointed.device} · {new Date(pointed.at).toLocaleString()}
        {missing === undefined ? "" : ` · ${missing}`}
      </span>
    </p>
  )
}
