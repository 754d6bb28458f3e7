import { useConsole } from "../Context.ts"
import { inlineUrl } from "../files.ts"
import { bytes, when } from "../format.ts"
import { FileList, FileRow } from "../parts/FileList.tsx"
import { newestEvent } from "../session/EventLog.ts"

/** The still pictures, newest first. */
export const Snapshots = () => {
  const { session } = useConsole()
  return (
    <FileList
      kind="snapshot"
      label="Snapshots"
      layout="gallery"
      none="There is no snapshot"
      changes={[newestEvent("snapshot.taken")]}
    >
      {(file) => (
        <li key={file.filename}>
          <a href={inlineUrl(file.download_url)} target="_blank" rel="noopener noreferrer">
            <img src={inlineUrl(file.download_url)} alt={`Snapshot ${file.filename}`} loading="lazy" />
          </a>
          <FileRow
            file={file}
            kind="snapshot"
            name={file.device}
            facts={`${when(file.modified_time, session.serverNow())} · ${bytes(file.file_size)}`}
          />
        </li>
      )}
    </FileList>
  )
}
