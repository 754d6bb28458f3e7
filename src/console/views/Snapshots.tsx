import { useSignal } from "@preact/signals"
import { useConsole } from "../Context.ts"
import { inlineUrl, ownUrl, urlMillis } from "../files.ts"
import { bytes, when } from "../format.ts"
import { useAsked } from "../hooks.ts"
import { newestEvent } from "../session/EventLog.ts"
import { CameraChoice, DeleteButton, isLeaving, More, usePages } from "../parts/FileList.tsx"
import { Icon } from "../parts/Icon.tsx"
import { Empty, Shown } from "../parts/Shown.tsx"

/** The still pictures, newest first. */
export const Snapshots = () => {
  const { session } = useConsole()
  const device = useSignal("")
  const pages = usePages()
  const asked = useAsked(
    (call) =>
      call.list_snapshots({ limit: pages.limit.value, ...(device.value === "" ? {} : { device: device.value }) }),
    [device.value, pages.limit.value, newestEvent("snapshot.taken")],
    urlMillis
  )
  return (
    <>
      <div class="toolbar">
        <CameraChoice device={device} />
      </div>
      <Shown asked={asked}>
        {({ files, total }) =>
          total === 0 ? (
            <Empty icon="image">
              <p>There is no snapshot{device.value === "" ? "" : ` of ${device.value}`}.</p>
              <p class="advice">The snapshot button stands under each camera.</p>
            </Empty>
          ) : (
            <>
              <ul class="gallery" aria-label="Snapshots">
                {files
                  .filter(({ filename }) => !isLeaving(filename))
                  .map((file) => (
                    <li key={file.filename}>
                      <a href={inlineUrl(file.download_url)} target="_blank" rel="noopener noreferrer">
                        <img src={inlineUrl(file.download_url)} alt={`Snapshot ${file.filename}`} loading="lazy" />
                      </a>
                      <div class="row">
                        <p class="what">
                          <span class="filename">{file.device}</span>
                          <span class="facts" title={file.filename}>
                            {when(file.modified_time, session.serverNow())} · {bytes(file.file_size)}
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
                          <DeleteButton file={file} kind="snapshot" />
                        </span>
                      </div>
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
