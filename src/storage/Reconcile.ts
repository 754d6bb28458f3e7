import * as Effect from "effect/Effect"
import { join } from "node:path"
import type { Disk } from "../ground/Disk.ts"
import type { FileState } from "../ground/FileState.ts"
import type { DiskError } from "../ground/DiskError.ts"
import type { IndexDatabase } from "./IndexDatabase.ts"
import { nothingKnown } from "./DescribeRecording.ts"
import type { IndexedFile } from "./IndexedFile.ts"
import { contentTypeOf, type FileKind, isFileName, ownerOf, parseFileName, sidecarOf } from "./Names.ts"
import { pictureFacts } from "../media/Picture.ts"
import { readPicture } from "./LostPictures.ts"
import type { UsedIndex } from "./OpenedIndex.ts"
import { looseAnswer } from "./SharedAnswer.ts"
import { attempt } from "./StorageFailed.ts"

/** What a walk over the disk found. */
export interface Reconciled {
  readonly added: number
  readonly removed: number
  readonly changed: number
  /** files in the folder whose camera cannot be told, and pictures that are lost; they are left alone and not listed */
  readonly unknown: number
}

/** The service's end does not wait for a disk that hangs. */
const askDisk = <A>(doing: string, question: Effect.Effect<A, DiskError>) => looseAnswer(attempt(doing, question))

/** Files a turn: some 2 ms of SQLite for a batch of new ones, then others may run. */
const batch = 100

/**
 * Makes the index say what the folder holds: unknown files enter, changed ones are corrected, missing ones leave. The
 * entering comes first, so that a file deleted meanwhile is found missing by the second walk; one that `isDeleted` since
 * this walk began does not enter at all. Constant memory.
 */
export const reconcile = Effect.fnUntraced(function* (
  index: UsedIndex,
  disk: Disk["Service"],
  kind: FileKind,
  folder: string,
  isDeleted: (filename: string) => boolean
) {
  const entered = yield* enterUnknown(index, disk, kind, folder, isDeleted)
  const swept = yield* sweep(index, disk, kind, folder)
  return { ...entered, ...swept } satisfies Reconciled
})

/** Has the index count what lies beside recordings; what belongs to one that is gone goes, too. */
export const reconcileSidecars = Effect.fnUntraced(function* (
  { ask, change }: UsedIndex,
  disk: Disk["Service"],
  folder: string
) {
  const nextNames = yield* attempt("read the recordings folder", disk.walk(folder))
  while (true) {
    const names = yield* askDisk("read the recordings folder", nextNames)
    if (names.length === 0) return
    const owners = names.map(ownerOf).filter((owner) => owner !== undefined)
    const files = yield* askDisk("look at a recording", disk.states(folder, owners))
    const sidecars = yield* askDisk("look at a recording", disk.states(folder, owners.map(sidecarOf)))
    for (const [i, owner] of owners.entries()) {
      if (files[i] === undefined) {
        yield* askDisk("remove what belonged to a recording", removeSidecar(disk, folder, owner))
        continue
      }
      const bytes = sidecars[i]?.bytes ?? 0
      const known = yield* ask((index) => index.get("recording", owner)?.beside)
      if (known !== undefined && known !== bytes) yield* change((index) => index.putBeside(owner, bytes))
    }
    yield* Effect.yieldNow
  }
}, Effect.scoped)

/** Nothing there is fine. */
export const removeSidecar = (disk: Disk["Service"], folder: string, recording: string) =>
  disk.removeAll(join(folder, sidecarOf(recording)))

const enterUnknown = Effect.fnUntraced(function* (
  { ask, change }: UsedIndex,
  disk: Disk["Service"],
  kind: FileKind,
  folder: string,
  isDeleted: (filename: string) => boolean
) {
  const nextNames = yield* attempt(`read the ${kind}s folder`, disk.walk(folder))
  let added = 0
  let unknown = 0
  while (true) {
    const names = yield* askDisk(`read the ${kind}s folder`, nextNames)
    if (names.length === 0) return { added, unknown }
    const ours = names.filter((name) => isFileName(name) && contentTypeOf(kind, name) !== undefined)
    const strange = yield* ask((index) => ours.filter((name) => !index.has(kind, name)))
    if (strange.length > 0) {
      const found = yield* askDisk(`look at a ${kind}`, lookAt(disk, kind, folder, strange))
      const known = found.filter((file) => file !== undefined && file !== "unknown")
      unknown += found.filter((file) => file === "unknown").length
      if (known.length > 0) {
        added += yield* change((index) => {
          const files = known.filter(({ file }) => !isDeleted(file.filename))
          index.addNew(files)
          return files.length
        })
      }
    }
    yield* Effect.yieldNow
  }
}, Effect.scoped)

const sweep = Effect.fnUntraced(function* (
  { ask, change }: UsedIndex,
  disk: Disk["Service"],
  kind: FileKind,
  folder: string
) {
  let removed = 0
  let changed = 0
  let last = ""
  while (true) {
    const files = yield* ask((index) => index.after(kind, last, batch))
    const names = files.map(({ filename }) => filename)
    const states = yield* askDisk(`look at a ${kind}`, disk.states(folder, names))
    if (files.some((file, i) => wrongOf(file, states[i]) !== undefined)) {
      const done = yield* change((index) => files.map((file, i) => correct(index, file, states[i])))
      removed += done.filter((what) => what === "removed").length
      changed += done.filter((what) => what === "changed").length
    }
    yield* Effect.yieldNow
    if (files.length < batch) return { removed, changed }
    last = names.at(-1) ?? last
  }
})

/** What the disk says of a file now that the index says otherwise. */
const wrongOf = ({ bytes, kind, modified }: IndexedFile, now: FileState | undefined) => {
  if (now?.kind !== "file" || isLost(kind, now)) return "removed"
  return now.bytes === bytes && Math.floor(now.modified) === modified ? undefined : now
}

/** Has the index say of a file what the disk said, unless somebody has told it of that file since it was asked. */
const correct = (index: IndexDatabase, file: IndexedFile, now: FileState | undefined) => {
  const wrong = wrongOf(file, now)
  if (wrong === undefined) return undefined
  const { bytes, filename, kind, modified } = file
  const known = index.get(kind, filename)
  if (known?.bytes !== bytes || known.modified !== modified) return undefined
  if (wrong === "removed") {
    index.remove(kind, filename)
    return "removed"
  }
  index.resize(kind, filename, wrong.bytes, wrong.modified)
  return "changed"
}

/** Makes the index say what the folder holds of these recordings alone; gives those of which it said something else. */
export const reconcileRecordings = Effect.fnUntraced(function* (
  { ask, change }: UsedIndex,
  disk: Disk["Service"],
  folder: string,
  names: ReadonlyArray<string>,
  isDeleted: (filename: string) => boolean
) {
  const states = yield* askDisk("look at a recording", disk.states(folder, names))
  const known = yield* ask((index) => names.map((name) => index.get("recording", name)))
  const isWrong = (i: number): boolean => {
    const [before, now] = [known[i], states[i]]
    return before === undefined ? now !== undefined : wrongOf(before, now) !== undefined
  }
  const isCorrected = (index: IndexDatabase, name: string, i: number): boolean => {
    const [before, now] = [known[i], states[i]]
    if (before !== undefined) return correct(index, before, now) !== undefined
    const found = fileOf("recording", name, now?.kind === "file" ? now : undefined, undefined)
    if (found === undefined || found === "unknown" || isDeleted(name)) return false
    index.addNew([found])
    return true
  }
  for (const [i, name] of names.entries()) {
    if (states[i] !== undefined) continue
    yield* askDisk("remove what belonged to a recording", removeSidecar(disk, folder, name))
  }
  if (!names.some((_, i) => isWrong(i))) return []
  return yield* change((index) => names.filter((name, i) => isCorrected(index, name, i)))
})

/** What a power cut made of a picture that was not on the disk yet; a recording may just have begun. */
const isLost = (kind: FileKind, { bytes }: FileState): boolean => kind === "snapshot" && bytes === 0

/** Pictures that are looked into at once: a disk that begins to hang meanwhile leaves libuv's other threads to others. */
const together = 8

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
