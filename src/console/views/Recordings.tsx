import { useSignal } from "@preact/signals"
import type { FileEntry } from "../../../schema/Storage.ts"
import { useConsole } from "../Context.ts"
import { inlineUrl, ownUrl, urlMillis } from "../files.ts"
import { bytes, clockTime, when } from "../format.ts"
import { useAsked } from "../hooks.ts"
import { Button } from "../parts/Button.tsx"
import { CameraChoice, DeleteButton, isLeaving, More, usePages } from "../parts/FileList.tsx"
import { Icon } from "../parts/Icon.tsx"
import { Empty, Shown } from "../parts/Shown.tsx"
import { addressOf, route } from "../routes.ts"
import { Timeline } from "../timeline/Timeline.tsx"

/** What has been recorded, newest first, and played in place. */
export const Recordings = () => {
  const { cameras, session } = useConsole()
  const device = useSignal("")
  const playing = useSignal<string | undefined>(undefined)
  const pages = usePages()
  // a recording that starts or ends changes the list
  const asked = useAsked(
    (call) =>
      call.list_recordings({ limit: pages.limit.value, ...(device.value === "" ? {} : { device: device.value }) }),
    [device.value, pages.limit.value, cameras.recording.value],
    urlMillis
  )
  return (
    <>
      <Timeline key={addressOf(route.value)} />
      <div class="toolbar">
        <h2 class="count">Files</h2>
        <CameraChoice device={device} />
      </div>
      <Shown asked={asked}>
        {({ files, total }) =>
          total === 0 ? (
            <Empty icon="film">
              <p>Nothing is recorded{device.value === "" ? "" : ` of ${device.value}`}.</p>
              <p class="advice">The record button stands under each camera.</p>
            </Empty>
          ) : (
            <>
              <ul class="rows" aria-label="Recordings">
                {files
                  .filter(({ filename }) => !isLeaving(filename))
                  .map((file) => (
                    <li key={file.filename} class={playing.value === file.filename ? "open" : ""}>
                      <div class="row">
                        <Button
                          icon={playing.value === file.filename ? "close" : "play"}
                          label={`${playing.value === file.filename ? "Close" : "Play"} ${file.filename}`}
                          kind="quiet"
                          onPress={() =>
                            void (playing.value = playing.value === file.filename ? undefined : file.filename)
                          }
                        />
                        <p class="what">
                          <span class="filename">{file.filename}</span>
                          <span class="facts">
                            {file.device} · {bytes(file.file_size)} · written to{" "}
                            {when(file.modified_time, session.serverNow())}
                          </span>
                        </p>
                        <span class="actions">
                          <a
                            class="button quiet iconOnly"
                            href={ownUrl(file.download_url)}
                            download=""
                            title={`Download ${file.filename}`}
                            aria-label={`Download ${file.filename}`}
                          >
                            <Icon name="download" />
                          </a>
                          <DeleteButton file={file} kind="recording" />
                        </span>
                      </div>
                      {playing.value === file.filename ? <Player file={file} /> : undefined}
                    </li>
                  ))}
              </ul>
              <More shown={files.length} total={total} pages={pages} />
            </>
          )
        }
      </Shown>
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
