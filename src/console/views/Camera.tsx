import { useSignal } from "@preact/signals"
import { useRef } from "preact/hooks"
import { useConsole } from "../Context.ts"
import { bitrate, bytes, span } from "../format.ts"
import { useAsked } from "../hooks.ts"
import type { LiveState } from "../live/Live.ts"
import { ageWords, LivePicture } from "../live/LivePicture.tsx"
import { Button } from "../parts/Button.tsx"
import { RecordButton, SnapshotButton } from "../parts/CameraButtons.tsx"
import { Fact } from "../parts/Fact.tsx"
import { Icon } from "../parts/Icon.tsx"
import { RecordingTrouble } from "../parts/RecordingTrouble.tsx"
import { Empty, Failed, Shown } from "../parts/Shown.tsx"
import { faultWords, sentence, statusWords } from "../words.ts"
import { Addresses } from "./Addresses.tsx"
import { Controls } from "./Controls.tsx"
import { MovePad } from "./MovePad.tsx"

/** One camera: live, and all that can be known of it and done with it. */
export const Camera = ({ device }: { readonly device: string }) => {
  const { cameras } = useConsole()
  const picture = useRef<HTMLDivElement>(null)
  const live = useSignal<LiveState | undefined>(undefined)
  const known = cameras.list.value
  const camera = known?.find((one) => one.device === device)
  const back = (
    <a class="back" href="#/">
      <Icon name="back" /> All cameras
    </a>
  )
  if (known === undefined) {
    const trouble = cameras.trouble.value
    return trouble === undefined ? (
      <p class="loading" role="status">
        Looking for {device}…
      </p>
    ) : (
      <Failed trouble={trouble} again={() => cameras.again()} />
    )
  }
  if (camera === undefined) {
    return (
      <>
        {back}
        <Empty icon="camera">
          <p>There is no {device}, or your token may not see it.</p>
        </Empty>
      </>
    )
  }
  return (
    <>
      {back}
      <div class="cameraView">
        <section class="stage" aria-labelledby="cameraName">
          <div class="heading">
            <h2 id="cameraName">
              {camera.device} <span class="name">{camera.name}</span>
            </h2>
            <span class={`status ${camera.status === "CONNECTED" ? "good" : "bad"}`}>
              {camera.fault === undefined ? statusWords[camera.status] : faultWords[camera.fault.kind]}
            </span>
          </div>
          <div ref={picture} class="large">
            <LivePicture camera={camera} tell={(now) => void (live.value = now)} />
          </div>
          <div class="actions">
            <RecordButton camera={camera} isWide />
            <SnapshotButton camera={camera} isWide />
            <Button icon="expand" label="Full screen" onPress={() => void picture.current?.requestFullscreen()}>
              Full screen
            </Button>
          </div>
          <RecordingTrouble device={device} isWide />
          {camera.fault === undefined ? undefined : (
            <p class="faultMore">
              {sentence(camera.fault.detail)} {sentence(camera.fault.suggestion)}
            </p>
          )}
        </section>
        <div class="side">
          <StreamFacts device={device} live={live.value} />
          <MovePad device={device} />
          <Controls device={device} />
          <Addresses camera={camera} />
        </div>
      </div>
    </>
  )
}

const StreamFacts = ({ device, live }: { readonly device: string; readonly live: LiveState | undefined }) => {
  const status = useAsked((call) => call.get_stream_status({ device }), [device], 2000)
  const formats = useAsked((call) => call.get_camera_capabilities({ device }), [device])
  return (
    <section class="card" aria-labelledby="streamTitle">
      <h2 id="streamTitle">Stream</h2>
      {live?._tag === "Playing" ? (
        <dl class="facts">
          <Fact name="Picture">
            Over {live.transport}. {ageWords(live.delay)}
          </Fact>
        </dl>
      ) : undefined}
      <Shown asked={status}>
        {({ codec, encoding, ffmpeg_process, mediamtx_path, metrics, reason, restarts, status: state }) => (
          <dl class="facts">
            <Fact name="State">
              {streamWords[state]}
              {reason === undefined ? "" : `: ${reason}`}
              {ffmpeg_process.running ? ` for ${span(ffmpeg_process.uptime * 1000)}` : ""}
              {restarts > 0 ? `, started again ${restarts}×` : ""}
            </Fact>
            <Fact name="Viewers">{mediamtx_path.readers}</Fact>
            {metrics.fps > 0 ? (
              <Fact name="Now">
                {metrics.fps.toFixed(1)} frames/s · {bitrate(metrics.bitrate)} · {bytes(metrics.bytes_sent)} sent
              </Fact>
            ) : undefined}
            {codec.width > 0 ? (
              <Fact name="Video">
                {codec.width}×{codec.height}, {codec.profile} {codec.level}
                {codec.conformant ? ", as the profile demands" : ", not as the profile demands"}
              </Fact>
            ) : undefined}
            {encoding === undefined ? undefined : (
              <>
                <Fact name="Input">{encoding.input}</Fact>
                <Fact name="Encoding">
                  {encoding.encoder === "copy" ? "none: the camera's own" : encoding.encoder}
                  {encoding.hardware ? " (hardware)" : ""}: {encoding.reason}
                </Fact>
              </>
            )}
          </dl>
        )}
      </Shown>
      <Shown asked={formats}>
        {({ current, formats: names, fps_options, resolutions }) => (
          <dl class="facts">
            <Fact name="Formats">{names.join(", ") || "not known"}</Fact>
            <Fact name="Sizes">{resolutions.join(", ") || "not known"}</Fact>
            <Fact name="Rates">{fps_options.length === 0 ? "not known" : `${fps_options.join(", ")} frames/s`}</Fact>
            {current === undefined ? undefined : (
              <Fact name="Set now">
                {current.format} {current.resolution}
                {current.fps === undefined ? "" : ` at ${current.fps}/s`}
              </Fact>
            )}
          </dl>
        )}
      </Shown>
    </section>
  )
}

const streamWords = {
  ACTIVE: "Running",
  INACTIVE: "Idle: nobody needs it",
  ERROR: "Fault",
  STARTING: "Starting",
  STOPPING: "Stopping"
} as const
