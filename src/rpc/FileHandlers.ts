import * as Effect from "effect/Effect"
import { CurrentSession } from "../../schema/Auth.ts"
import { FileRpcs } from "../../schema/CameraRpcs.ts"
import { defaultListLimit } from "../../schema/Storage.ts"
import { isoTime, toSeconds } from "../ground/Time.ts"
import { FileIndex } from "../storage/FileIndex.ts"
import { Files } from "../storage/Files.ts"
import { Holds } from "../storage/Holds.ts"
import type { IndexedFile } from "../storage/IndexedFile.ts"
import { type FileKind, snapshotFormatOf } from "../storage/Names.ts"
import { maySee, visibleFile } from "./Authorization.ts"
import { makeFileUrls } from "./FileUrls.ts"

interface Page {
  readonly limit?: number
  readonly offset?: number
  readonly device?: string
}

/** Who calls a method. */
interface Call {
  readonly client: { readonly id: number }
}

export const layer = FileRpcs.toLayer(
  Effect.gen(function* () {
    const index = yield* FileIndex
    const files = yield* Files
    const holds = yield* Holds

    const urlsFor = yield* makeFileUrls

    const list = (kind: FileKind) =>
      Effect.fnUntraced(function* ({ device, limit = defaultListLimit, offset = 0 }: Page, { client }: Call) {
        const session = yield* CurrentSession
        const asked = device === undefined ? session.cameras : [device].filter((one) => maySee(session, one))
        const found = yield* index.list(kind, { limit, offset, devices: asked })
        const urls = yield* urlsFor(client.id, session)
        const entries = found.files.map((file) =>
          Object.assign(
            {
              filename: file.filename,
              device: file.device,
              file_size: file.bytes,
              modified_time: isoTime(file.modified),
              download_url: urls.of(file)
            },
            kind === "recording" && holds.isRecorded(file.filename) ? { recording: true as const } : {}
          )
        )
        return { files: entries, total: found.total, limit, offset }
      })

    const find = (kind: FileKind, filename: string) => visibleFile(index, kind, filename)

    const info = Effect.fnUntraced(function* (file: IndexedFile, { client }: Call) {
      const urls = yield* urlsFor(client.id, yield* CurrentSession)
      return {
        filename: file.filename,
        file_size: file.bytes,
        created_time: isoTime(file.created),
        download_url: urls.of(file),
        width: file.width,
        height: file.height
      }
    })

    const deleted = ({ filename, kind }: IndexedFile) => ({
      filename,
      deleted: true,
      message: `the ${kind} is deleted`
    })

    return FileRpcs.of({
      list_recordings: list("recording"),
      list_snapshots: list("snapshot"),
      get_recording_info: Effect.fnUntraced(function* ({ filename }, call) {
        const file = yield* find("recording", filename)
        return { ...(yield* info(file, call)), duration: toSeconds(file.duration * 1000), codec: file.codec }
      }),
      get_snapshot_info: ({ filename }, call) => Effect.flatMap(find("snapshot", filename), (file) => info(file, call)),
      get_download_url: Effect.fnUntraced(function* ({ filename }, { client }) {
        // a recording's name never ends as a picture's does
        const file = yield* find(snapshotFormatOf(filename) === undefined ? "recording" : "snapshot", filename)
        const urls = yield* urlsFor(client.id, yield* CurrentSession)
        return { filename, download_url: urls.of(file), expires_at: isoTime(urls.expiresAt) }
      }),
      delete_recording: ({ filename }) =>
        Effect.map(Effect.andThen(find("recording", filename), files.takeAway("recording", filename)), deleted),
      delete_snapshot: ({ filename }) =>
        Effect.map(Effect.andThen(find("snapshot", filename), files.takeAway("snapshot", filename)), deleted)
    })
  })
)
