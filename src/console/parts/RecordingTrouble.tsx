import { useConsole } from "../Context.ts"
import { sentence } from "../words.ts"

/** Why a camera is not recorded now although it was asked for, where everybody sees it. */
export const RecordingTrouble = ({ device }: { readonly device: string }) => {
  const { cameras } = useConsole()
  const recording = cameras.recording.value.get(device)
  if (recording?.status !== "ERROR") return null
  return (
    <p class="recordingTrouble">
      Not recorded now{recording.reason === undefined ? "." : `: ${sentence(recording.reason)}`}
    </p>
  )
}
