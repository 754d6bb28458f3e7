import { type Signal, useSignal } from "@preact/signals"
import * as Effect from "effect/Effect"
import type { RefObject } from "preact"
import { useRef } from "preact/hooks"
import { useConsole } from "../Context.ts"
import { useFiber } from "../hooks.ts"
import { type Trouble, troubleOf } from "../words.ts"
import { inStep } from "./InStep.ts"
import { leap } from "./Media.ts"
import { playRecorded } from "./Playback.ts"

/** Where it was asked to play from. */
export interface Start {
  readonly device: string
  readonly at: number
}

interface Props {
  readonly device: string
  readonly start: Start
  /** where all of them are */
  readonly head: number
  readonly video: RefObject<HTMLVideoElement | null>
  /** the one that it keeps in step with; undefined: it leads */
  readonly leader?: RefObject<HTMLVideoElement | null>
  readonly tell?: (at: number) => void
  /** of the one that leads: whether it plays, or does as soon as it can */
  readonly isPlaying?: Signal<boolean>
  readonly onPress: () => void
}

/** What was recorded of one camera. */
export const RecordedVideo = ({ device, head, isPlaying, leader, onPress, start, tell, video }: Props) => {
  const { session } = useConsole()
  const trouble = useSignal<Trouble | undefined>(undefined)
  const hasPicture = useSignal(true)
  const begun = useRef<Start | undefined>(undefined)

  useFiber(() => {
    const { current } = video
    if (current === null) return undefined
    trouble.value = undefined
    // with a new connection, and where one joins in, it goes on where the others are
    const at = begun.current === start || (leader !== undefined && begun.current === undefined) ? head : start.at
    begun.current = start
    const first = leader?.current ?? undefined
    const played =
      first === undefined
        ? playRecorded(current, device, at, session, (now) => tell?.(now), leap)
        : Effect.raceFirst(
            playRecorded(current, device, at, session, () => undefined, stay),
            inStep(current, first, (has) => void (hasPicture.value = has))
          )
    return Effect.scoped(played).pipe(
      Effect.catch((error) => Effect.sync(() => void (trouble.value = troubleOf(error))))
    )
  }, [start, session.connection.value])

  return (
    <div class="recorded">
      <video
        ref={video}
        muted
        playsInline
        aria-label={`What was recorded of ${device}`}
        // what plays by its attribute stops when it is scrolled out of sight
        onLoadedData={() => {
          if (isPlaying?.value === true) video.current?.play().catch(() => undefined)
        }}
        onPlay={() => isPlaying !== undefined && void (isPlaying.value = true)}
        onPause={() => isPlaying !== undefined && void (isPlaying.value = false)}
        onClick={onPress}
      />
      <span class="chip">{device}</span>
      {trouble.value !== undefined ? (
        <div class="obstacle" role="alert">
          <p class="what">It does not play</p>
          <p class="more">{trouble.value.what}</p>
        </div>
      ) : hasPicture.value ? undefined : (
        <div class="obstacle" role="status">
          <p class="what">Not recorded then</p>
        </div>
      )}
    </div>
  )
}

/** Who leads goes on over gaps; the others wait there for it. */
const stay = (): void => undefined
