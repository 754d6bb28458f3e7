import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import type { DependencyFailed } from "../../schema/Errors.ts"
import type { Disk } from "../ground/Disk.ts"
import type { FileState } from "../ground/FileState.ts"
import type { DiskError } from "../ground/DiskError.ts"
import type { IndexDatabase } from "./IndexDatabase.ts"
import type { Description, IndexedFile } from "./IndexedFile.ts"
import { contentTypeOf, type FileKind, isFileName, ownerOf, parseFileName, sidecarOf } from "./Names.ts"
import { pictureFacts } from "../media/Picture.ts"
import { readPicture } from "./LostPictures.ts"
import { looseAnswer } from "./SharedAnswer.ts"
import { attempt } from "./StorageFailed.ts"

/**
 * Looks into a recording that the index knows nothing about but its name. The default knows nothing either; the layer
 * that has ffprobe puts the real one in.
 */
export const DescribeRecording = Context.Reference<(path: string) => Effect.Effect<Description, unknown>>(
  "camera-service/storage/DescribeRecording",
  { defaultValue: () => () => Effect.succeed(nothingKnown) }
)

const nothingKnown: Description = { duration: 0, codec: "", width: 0, height: 0 }

/** What a walk over the disk found. */
export interface Reconciled {
  readonly added: number
  readonly removed: number
  readonly changed: number
  /** files in the folder whose camera cannot be told, and pictures that are lost; they are left alone and not listed */
  readonly unknown: number
}

/** Asks the disk: the service's end does not wait for one that hangs. */
const ask = <A>(doing: string, question: Effect.Effect<A, DiskError>) => looseAnswer(attempt(doing, question))

/** Files a turn: some 2 ms of SQLite for a batch of new ones, then others may run. */
const batch = 100

/** Runs a short synchronous piece on the index, wherever it is now (it may have been replaced by a new one). */
type UseIndex = <A>(use: (index: IndexDatabase) => A) => Effect.Effect<A, DependencyFailed>

/**
 * Makes the index say what the folder holds: unknown files enter, changed ones are corrected, missing ones leave. The
 * entering comes first, so that a file deleted meanwhile is found missing by the second walk; one that `isDeleted` since
 * this walk began does not enter at all. Constant memory.
 */
export const reconcile = Effect.fnUntraced(function* (
  use: UseIndex,
  disk: Disk["Service"],
  kind: FileKind,
  folder: string,
  isDeleted: (filename: string) => boolean
) {
  const entered = yield* enterUnknown(use, disk, kind, folder, isDeleted)
  const swept = yield* sweep(use, disk, kind, folder)
  return { ...entered, ...swept } satisfies Reconciled
})

/** Has the index count what lies beside recordings; what belongs to one that is gone goes, too. */
export const reconcileSidecars = Effect.fnUntraced(function* (use: UseIndex, disk: Disk["Service"], folder: string) {
  const nextNames = yield* attempt("read the recordings folder", disk.walk(folder))
  while (true) {
    const names = yield* ask("read the recordings folder", nextNames)
    if (names.length === 0) return
    const owners = names.map(ownerOf).filter((owner) => owner !== undefined)
    const files = yield* ask("look at a recording", disk.states(folder, owners))
    const sidecars = yield* ask("look at a recording", disk.states(folder, owners.map(sidecarOf)))
    for (const [i, owner] of owners.entries()) {
      if (files[i] === undefined) yield* ask("remove what belonged to a recording", removeSidecar(disk, folder, owner))
      else yield* use((index) => index.putBeside(owner, sidecars[i]?.bytes ?? 0))
    }
    yield* Effect.yieldNow
  }
}, Effect.scoped)

/** Nothing there is fine. */
export const removeSidecar = (disk: Disk["Service"], folder: string, recording: string) =>
  disk.removeAll(join(folder, sidecarOf(recording)))

/** Looks into the files that nobody has looked into, newest first; one that cannot be read stays as it is. */
export const describeAll = Effect.fnUntraced(function* (
  use: UseIndex,
  folder: string,
  look: (path: string) => Effect.Effect<Description, unknown>
) {
  while (true) {
    const file = yield* use((index) => index.undescribed("recording"))
    if (file === undefined) return
    yield* describeOne(use, folder, look, file.filename)
  }
})

/** Looks into a recording. */
export const describeOne = Effect.fnUntraced(function* (
  use: UseIndex,
  folder: string,
  look: (path: string) => Effect.Effect<Description, unknown>,
  filename: string
) {
  const found = yield* look(join(folder, filename)).pipe(
    Effect.catch((cause) =>
      Effect.as(Effect.logWarning("cannot look into a recording", { filename }, cause), nothingKnown)
    )
  )
  yield* use((index) => index.describe("recording", filename, found))
})

const enterUnknown = Effect.fnUntraced(function* (
  use: UseIndex,
  disk: Disk["Service"],
  kind: FileKind,
  folder: string,
  isDeleted: (filename: string) => boolean
) {
  const nextNames = yield* attempt(`read the ${kind}s folder`, disk.walk(folder))
  let added = 0
  let unknown = 0
  while (true) {
    const names = yield* ask(`read the ${kind}s folder`, nextNames)
    if (names.length === 0) return { added, unknown }
    const ours = names.filter((name) => isFileName(name) && contentTypeOf(kind, name) !== undefined)
    const strange = yield* use((index) => ours.filter((name) => !index.has(kind, name)))
    if (strange.length > 0) {
      const found = yield* ask(`look at a ${kind}`, lookAt(disk, kind, folder, strange))
      const known = found.filter((file) => file !== undefined && file !== "unknown")
      const files = known.filter(({ file }) => !isDeleted(file.filename))
      unknown += found.filter((file) => file === "unknown").length
      added += files.length
      if (files.length > 0) yield* use((index) => index.addNew(files))
    }
    yield* Effect.yieldNow
  }
}, Effect.scoped)

const sweep = Effect.fnUntraced(function* (use: UseIndex, disk: Disk["Service"], kind: FileKind, folder: string) {
  let removed = 0
  let changed = 0
  let last = ""
  while (true) {
    const files = yield* use((index) => index.after(kind, last, batch))
    const names = files.map(({ filename }) => filename)
    const states = yield* ask(`look at a ${kind}`, disk.states(folder, names))
    for (const [i, file] of files.entries()) {
      const done = yield* use((index) => correct(index, file, states[i]))
      if (done === "removed") removed++
      if (done === "changed") changed++
    }
    yield* Effect.yieldNow
    if (files.length < batch) return { removed, changed }
    last = names.at(-1) ?? last
  }
})

/** Has the index say of a file that it knows what the disk says of it now. */
const correct = (
  index: IndexDatabase,
  { bytes, filename, kind, modified }: IndexedFile,
  now: FileState | undefined
) => {
  if (now === undefined || now.kind !== "file" || isLost(kind, now)) {
    index.remove(kind, filename)
    return "removed"
  }
  if (now.bytes === bytes && Math.floor(now.modified) === modified) return undefined
  index.resize(kind, filename, now.bytes, now.modified)
  return "changed"
}

/** Makes the index say what the folder holds of these recordings alone; gives those of which it said something else. */
export const reconcileRecordings = Effect.fnUntraced(function* (
  use: UseIndex,
  disk: Disk["Service"],
  folder: string,
  names: ReadonlyArray<string>,
  isDeleted: (filename: string) => boolean
) {
  const states = yield* ask("look at a recording", disk.states(folder, names))
  const isCorrected = (index: IndexDatabase, name: string, now: FileState | undefined): boolean => {
    const known = index.get("recording", name)
    if (known !== undefined) return correct(index, known, now) !== undefined
    const found = fileOf("recording", name, now?.kind === "file" ? now : undefined, undefined)
    if (found === undefined || found === "unknown" || isDeleted(name)) return false
    index.addNew([found])
    return true
  }
  for (const [i, name] of names.entries()) {
    if (states[i] !== undefined) continue
    yield* ask("remove what belonged to a recording", removeSidecar(disk, folder, name))
  }
  return yield* use((index) => names.filter((name, i) => isCorrected(index, name, states[i])))
})

/** What a power cut made of a picture that was not on the disk yet; a recording may just have begun. */
const isLost = (kind: FileKind, { bytes }: FileState): boolean => kind === "snapshot" && bytes === 0

/** Pictures that are looked into at once; Node has four threads, and others want them too. */
const together = 20

const lookAt = Effect.fnUntraced(function* (
  disk: Disk["Service"],
  kind: FileKind,
  folder: string,
  names: ReadonlyArray<string>
) {
  const states = yield* disk.states(folder, names)
  if (kind === "recording") return names.map((name, i) => fileOf(kind, name, states[i], undefined))
  const looks = yield* Effect.forEach(names, (name) => readPicture(disk, join(folder, name)), { concurrency: together })
  return names.map((name, i) => (looks[i]?.isLost === true ? "unknown" : fileOf(kind, name, states[i], looks[i]?.head)))
})

/** A file as its name, its inode and (pictures) its first bytes tell it; undefined when it went meanwhile. */
const fileOf = (
  kind: FileKind,
  filename: string,
  now: FileState | undefined,
  head: Uint8Array | undefined
): { readonly file: IndexedFile; readonly described: boolean } | "unknown" | undefined => {
  if (now === undefined) return undefined
  const named = parseFileName(filename)
  const picture = head === undefined ? undefined : pictureFacts(head)
  const device = picture?.device ?? named?.device
  if (device === undefined) return "unknown"
  return {
    file: {
      ...nothingKnown,
      kind,
      filename,
      device,
      bytes: now.bytes,
      modified: now.modified,
      created: named?.startedAt ?? Math.floor(now.modified),
      width: picture?.width ?? 0,
      height: picture?.height ?? 0
    },
    described: kind === "snapshot"
  }
}
