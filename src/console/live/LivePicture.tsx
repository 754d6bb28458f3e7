import { useSignal } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import type { Camera } from "../../../schema/Camera.ts"
import { useConsole } from "../Context.ts"
import { behind, span } from "../format.ts"
import { useFiber, useInSight, useSecond } from "../hooks.ts"
import { inlineUrl } from "../files.ts"
import { Button } from "../parts/Button.tsx"
import { Icon } from "../parts/Icon.tsx"
import { faultWords, sentence } from "../words.ts"
import type { Delay } from "./Delay.ts"
import { fallbackOf, forgetFallback, live, type LiveState, type Transport } from "./Live.ts"
import { stills } from "./Still.ts"
import * as Effect from "effect/Effect"

/**
 * A camera as it is now: what was seen last, with its age, until the live picture is there; and why, where it is not.
 * `tell`: is told of how the live picture is, for whoever has more room for it.
 */
export const LivePicture = ({
  camera,
  tell
}: {
  readonly camera: Camera
  readonly tell?: (state: LiveState | undefined) => void
}) => {
  const { cameras, session } = useConsole()
  const { device, status } = camera
  const frame = useRef<HTMLDivElement>(null)
  const video = useRef<HTMLVideoElement>(null)
  const inSight = useInSight(frame)
  const state = useSignal<LiveState | undefined>(undefined)
  const round = useSignal(0)
  const change = (now: LiveState | undefined) => {
    state.value = now
    tell?.(now)
  }
  const isWanted = inSight.value && status !== "DISCONNECTED" && session.phase.value._tag !== "Expired"

  useFiber(() => {
    const { current } = video
    if (!isWanted || current === null) return undefined
    return Effect.ensuring(
      live(device, current, session, change, () => cameras.isFaulty(device)),
      Effect.sync(() => change(undefined))
    )
  }, [device, isWanted, session.connection.value > 0, round.value])

  const now = state.value
  const isPlaying = now?._tag === "Playing"
  const [width = 4, height = 3] = camera.resolution.split("x").map(Number)
  return (
    <div ref={frame} class={`picture ${isPlaying ? "playing" : ""}`} style={{ "--ratio": `${width} / ${height}` }}>
      {isPlaying ? undefined : <Before camera={camera} />}
      <video ref={video} muted playsInline aria-label={`Live picture of ${device}`} />
      {now?._tag === "Playing" ? (
        <LiveWords device={device} now={now} tryAgain={() => void round.value++} />
      ) : (
        <WhyNone camera={camera} now={now} />
      )}
    </div>
  )
}

type Playing = Extract<LiveState, { readonly _tag: "Playing" }>

/** That it is live; and over HLS why it is, with a way back. */
const LiveWords = ({
  device,
  now: { delay, transport },
  tryAgain
}: {
  readonly device: string
  readonly now: Playing
  readonly tryAgain: () => void
}) => {
  const fallback = fallbackOf(device)
  const chip = <LiveChip transport={transport} delay={delay} />
  if (fallback === undefined) return chip
  return (
    <p class="fallback">
      {chip}
      HLS: {fallback}.{" "}
      <Button
        label="Try WebRTC again"
        kind="quiet"
        onPress={() => {
          forgetFallback(device)
          tryAgain()
        }}
      >
        Try WebRTC again
      </Button>
    </p>
  )
}

/** Why there is no live picture: first what a person can do most about. */
const WhyNone = ({
  camera: { fault, status },
  now
}: {
  readonly camera: Camera
  readonly now: Exclude<LiveState, Playing> | undefined
}) => {
  const { cameras } = useConsole()
  const mediaServer = cameras.health.value?.components.mediamtx
  if (status === "DISCONNECTED") {
    return <Obstacle icon="lost" what="Not connected" more="It comes back by itself when it is plugged in again." />
  }
  if (fault !== undefined) {
    const more = sentence(`${fault.detail}. ${sentence(fault.suggestion)}`)
    return <Obstacle icon="warn" what={faultWords[fault.kind]} more={more} />
  }
  if (now?._tag === "Refused") return <Obstacle icon="key" what="Not allowed" more={sentence(now.reason)} />
  if (now?._tag === "Waiting") {
    return <Obstacle icon="lost" what="No live picture" more={`${sentence(now.reason)} It is tried again by itself.`} />
  }
  if (mediaServer === "ERROR" || mediaServer === "STOPPED") {
    const more = "The media server does not answer. It is started again by itself."
    return <Obstacle icon="lost" what="No live picture" more={more} />
  }
  if (now === undefined) return null
  return (
    <span class="chip starting" role="status">
      Starting{now.transport === "HLS" ? " over HLS" : ""}…
    </span>
  )
}

/** That it is live, over what, and how far behind it is. */
const LiveChip = ({ delay, transport }: { readonly transport: Transport; readonly delay: Delay | undefined }) => (
  <span class="chip live" title={`Over ${transport}. ${ageWords(delay)}`}>
    Live{transport === "HLS" ? " · HLS" : ""}
    {delay === undefined ? "" : ` · ${delay.isWhole ? "" : "≥ "}${behind(delay.total)}`}
  </span>
)

/** How old the picture is, and what that is made of. */
export const ageWords = (delay: Delay | undefined): string => {
  if (delay === undefined) return "How old the picture is this browser cannot tell."
  const { isWhole, parts, total } = delay
  if (isWhole) return `${behind(total)} old: ${parts}.`
  return `At least ${behind(total)} old: ${parts}. What the camera and its encoder take before is not known here.`
}

const Obstacle = ({
  icon,
  more,
  what
}: {
  readonly icon: "lost" | "warn" | "key"
  readonly what: string
  readonly more: string
}) => (
  <div class="obstacle" role="status">
    <Icon name={icon} />
    <p class="what">{what}</p>
    <p class="more">{more}</p>
  </div>
)

/** The last frame that was seen here; else the newest snapshot there is. Always with its age. */
const Before = ({ camera: { device } }: { readonly camera: Camera }) => {
  const { session } = useConsole()
  const holder = useRef<HTMLDivElement>(null)
  const snapshot = useSignal<{ readonly url: string; readonly at: number } | undefined>(undefined)
  const still = stills.value.get(device)
  // drawn between two seconds it is no younger than it is
  const now = Math.max(useSecond().value, Date.now())
  useFiber(() => {
    if (stills.peek().has(device) || session.connection.peek() === 0) return undefined
    return session
      .ask((call) => call.list_snapshots({ device, limit: 1 }))
      .pipe(
        Effect.match({
          // it is only what is shown until the live picture comes
          onFailure: () => undefined,
          onSuccess: ({ files: [newest] }) => {
            if (newest === undefined) return
            snapshot.value = { url: inlineUrl(newest.download_url), at: Date.parse(newest.modified_time) }
          }
        })
      )
  }, [device, session.connection.value])
  useEffect(() => {
    if (still !== undefined) holder.current?.replaceChildren(still.canvas)
  }, [still])
  const age =
    still !== undefined
      ? now - still.at
      : snapshot.value === undefined
        ? undefined
        : session.serverNow() - snapshot.value.at
  return (
    <>
      {still === undefined && snapshot.value !== undefined ? (
        <img class="before" src={snapshot.value.url} alt={`Last snapshot of ${device}`} />
      ) : (
        <div class="before" ref={holder} />
      )}
      {age === undefined ? undefined : <span class="chip age">{span(age)} ago</span>}
    </>
  )
}
