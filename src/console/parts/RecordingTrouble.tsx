import { useConsole } from "../Context.ts"
import { Details } from "./Details.tsx"
import { saidIn, sentence } from "../words.ts"

interface Props {
  readonly device: string
  /** with what a program said of it itself */
  readonly isWide?: boolean
}

/** Why a camera is not recorded now although it was asked for, where everybody sees it. */
export const RecordingTrouble = ({ device, isWide = false }: Props) => {
  const { cameras } = useConsole()
  const recording = cameras.recording.value.get(device)
  if (recording?.status !== "ERROR") return null
  if (recording.reason === undefined)
    return (
      <p class="recordingTrouble" role="status">
        Not recorded now.
      </p>
    )
  const { detail, words } = saidIn(recording.reason)
  return (
    <div class="recordingTrouble" role="status" title={isWide ? undefined : detail}>
      <p>Not recorded now: {sentence(words)}</p>
      {isWide && detail !== undefined ? (
        <Details name="What FFmpeg said">
          <p>{detail}</p>
        </Details>
      ) : undefined}
    </div>
  )
}
