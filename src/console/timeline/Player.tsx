import { type Signal, useSignal } from "@preact/signals"
import type { RefObject } from "preact"
import { useEffect, useRef } from "preact/hooks"
import { useConsole } from "../Context.ts"
import { copy } from "../copy.ts"
import { Button } from "../parts/Button.tsx"
import { addressOf } from "../routes.ts"
import { second } from "./period.ts"
import { RecordedVideo, type Start } from "./RecordedVideo.tsx"
import { stepFrames, togglePlay } from "./transport.ts"

const rates = [0.25, 0.5, 1, 2, 4, 8] as const

interface Props {
  readonly video: RefObject<HTMLVideoElement | null>
  /** undefined: no time was chosen yet; it has its place already, so that what is below stays where it is */
  readonly start: Start | undefined
  readonly isPlaying: Signal<boolean>
  /** other cameras, which are shown as they were at the same time */
  readonly others: ReadonlyArray<string>
  /** where it is */
  readonly head: number
  readonly tell: (at: number) => void
  readonly seek: (at: number) => void
}

/** Plays what was recorded of one camera, and of others in step with it, at a speed, and frame by frame. */
export const Player = ({ head, isPlaying, others, seek, start, tell, video }: Props) => {
  const { cameras } = useConsole()
  const rate = useSignal(1)
  const isChosen = start !== undefined
  // nobody sees it then: it takes as much room
  const device = start?.device ?? "camera0"

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
  }, [rate.value, isChosen])

  const step = (frames: number) => stepFrames(video.current, frames, cameras.rateOf(device))
  const toggle = () => togglePlay(video.current)
  const link = () => copy(`${location.origin}/${addressOf({ view: "recordings", device, at: Math.round(head) })}`)

  return (
    <div class="player">
      {start === undefined ? (
        <div class="recorded">
          <p class="hint">Choose a time below to play what was recorded then.</p>
        </div>
      ) : (
        <div class={others.length === 0 ? "" : "several"}>
          <RecordedVideo
            device={device}
            start={start}
            head={head}
            video={video}
            tell={tell}
            isPlaying={isPlaying}
            onPress={toggle}
          />
          {others.map((other) => (
            <Follower key={other} device={other} start={start} head={head} leader={video} onPress={toggle} />
          ))}
        </div>
      )}
      <div class={`toolbar transport ${isChosen ? "" : "later"}`}>
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
          {[device, ...others].join(", ")} · {new Date(head).toLocaleString()}
        </output>
        <Button label="Copy a link to this time" icon="copy" onPress={() => void link()}>
          Link
        </Button>
      </div>
    </div>
  )
}

interface FollowerProps {
  readonly device: string
  readonly start: Start
  readonly head: number
  readonly leader: RefObject<HTMLVideoElement | null>
  readonly onPress: () => void
}

const Follower = (props: FollowerProps) => {
  const video = useRef<HTMLVideoElement>(null)
  return <RecordedVideo {...props} video={video} />
}
