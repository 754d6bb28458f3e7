import { useSignal } from "@preact/signals"
import type { FileEntry } from "../../../schema/Storage.ts"
import { useConsole } from "../Context.ts"
import { inlineUrl } from "../files.ts"
import { bytes, clockTime, when } from "../format.ts"
import { useAsked } from "../hooks.ts"
import { Button } from "../parts/Button.tsx"
import { FileList, FileRow } from "../parts/FileList.tsx"
import { Shown } from "../parts/Shown.tsx"
import { addressOf, route } from "../routes.ts"
import { Timeline } from "../timeline/Timeline.tsx"

/** What has been recorded: on a timeline, and its files, newest first, played in place. */
export const Recordings = () => {
  const { cameras, session } = useConsole()
  const playing = useSignal<string | undefined>(undefined)
  return (
    <>
      <Timeline key={addressOf(route.value)} />
      <FileList
        kind="recording"
        label="Recordings"
        layout="rows"
        heading={<h2 class="count">Files</h2>}
        none="Nothing is recorded"
        // one that starts or ends changes the list
        changes={[cameras.recording.value]}
      >
        {(file) => {
          const { device, file_size, filename, modified_time, recording } = file
          const written =
            recording === true ? "still being recorded" : `written to ${when(modified_time, session.serverNow())}`
          const isOpen = playing.value === filename
          return (
            <li key={filename} class={isOpen ? "open" : ""}>
              <FileRow
                file={file}
                kind="recording"
                name={filename}
                facts={`${device} · ${bytes(file_size)} · ${written}`}
              >
                <Button
                  icon={isOpen ? "close" : "play"}
                  label={`${isOpen ? "Close" : "Play"} ${filename}`}
                  kind="quiet"
                  onPress={() => void (playing.value = isOpen ? undefined : filename)}
                />
              </FileRow>
              {isOpen ? <Player file={file} /> : undefined}
            </li>
          )
        }}
      </FileList>
    </>
  )
}

const Player = ({ file: { download_url, filename } }: { readonly file: FileEntry }) => {
  const asked = useAsked((call) => call.get_recording_info({ filename }), [filename])
  const isBroken = useSignal(false)
  const known = inlineUrl(download_url)
  // another URL would begin from the start: it is taken when this one ends
  const url = useSignal(known)
  const from = useSignal(0)
  return (
    <div class="player">
      {isBroken.value ? (
        <p class="refusal" role="alert">
          This browser cannot play the file: download it for another player.
        </p>
      ) : (
        <video
          src={url.value}
          controls
          autoPlay
          muted
          playsInline
          aria-label={`Recording ${filename}`}
          onLoadedMetadata={({ currentTarget }) => void (currentTarget.currentTime = from.value)}
          onError={({ currentTarget }) => {
            from.value = currentTarget.currentTime
            if (url.value === known) isBroken.value = true
            else url.value = known
          }}
        />
      )}
      <Shown asked={asked}>
        {({ codec, duration, height, width }) => (
          <p class="facts">
            {clockTime(duration)} · {codec} · {width}×{height}
          </p>
        )}
      </Shown>
    </div>
  )
}
