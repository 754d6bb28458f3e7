import { useConsole } from "../Context.ts"
import { saidIn, sentence } from "../words.ts"

/** Why a camera is not recorded now although it was asked for, where everybody sees it. */
export const RecordingTrouble = ({ device }: { readonly device: string }) => {
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
    <p class="recordingTrouble" role="status" title={detail}>
      Not recorded now: {sentence(words)}
    </p>
  )
}
