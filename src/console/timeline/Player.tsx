import { useSignal } from "@preact/signals"
import * as Effect from "effect/Effect"
import { useEffect, useRef } from "preact/hooks"
import { useConsole } from "../Context.ts"
import { copy } from "../copy.ts"
import { useFiber } from "../hooks.ts"
import { Button } from "../parts/Button.tsx"
import { addressOf } from "../routes.ts"
import { type Trouble, troubleOf } from "../words.ts"
import { second } from "./period.ts"
import { playRecorded } from "./Playback.ts"

const rates = [0.25, 0.5, 1, 2, 4, 8] as const
/** What a frame lasts where nothing else is known: of 25 a second. */
const frame = 0.04

/** Where it was asked to play from. */
export interface Start {
  readonly device: string
  readonly at: number
}

interface Props {
  readonly start: Start
  /** where it is */
  readonly head: number
  readonly tell: (at: number) => void
  readonly seek: (at: number) => void
}

/** Plays what was recorded of one camera, at a speed, and frame by frame. */
export const Player = ({ head, seek, start, tell }: Props) => {
  const { session } = useConsole()
  const video = useRef<HTMLVideoElement>(null)
  const trouble = useSignal<Trouble | undefined>(undefined)
  const isPlaying = useSignal(true)
  const rate = useSignal(1)
  const begun = useRef<Start | undefined>(undefined)
  const { device } = start

  useFiber(() => {
    const { current } = video
    if (current === null) return undefined
    trouble.value = undefined
    // with a new connection it goes on where it was
    const at = begun.current === start ? head : start.at
    begun.current = start
    return Effect.scoped(playRecorded(current, device, at, session, tell)).pipe(
      Effect.catch((error) => Effect.sync(() => void (trouble.value = troubleOf(error))))
    )
  }, [start, session.connection.value])
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
