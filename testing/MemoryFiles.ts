import { basename, dirname } from "node:path"
import { afterPowerCut, changed } from "./PowerCut.ts"

/** What `MemoryDisk` keeps: folders and files by absolute paths, without links to elsewhere. All of it is synchronous. */

export interface File {
  readonly kind: "file"
  /** where it is listed; nowhere any more when it was removed while it is open */
  readonly names: Array<{ readonly folder: Folder; readonly name: string }>
  bytes: Uint8Array
  mode: number
  /** epoch milliseconds */
  modified: number
  /** the bytes that were synced */
  lasting: Uint8Array
  /** a sync has failed: no more of it will be written */
  isGivenUp: boolean
}

export interface Folder {
  readonly kind: "folder"
  readonly entries: Map<string, File | Folder>
  /** what was in it when it was synced, and what has changed since, each to be done to that */
  readonly lasting: Map<string, File | Folder>
  readonly unsynced: Array<() => void>
  mode: number
  modified: number
}

/** Thrown where Node would: with the errno's name in `code`. */
export class Refused extends Error {
  readonly code: string

  constructor(code: string, call: string, path: string) {
    super(`${code}: ${call} '${path}'`)
    this.code = code
  }
}

/** `told` hears the folder and the name of whatever appears, grows, changes or vanishes. */
export const makeMemoryFiles = (now: () => number, told: (folder: Folder, name: string) => void) => {
  const folderNow = (mode: number): Folder => ({
    kind: "folder",
    entries: new Map(),
    lasting: new Map(),
    unsynced: [],
    mode,
    modified: now()
  })
  let root = folderNow(0o755)

  const find = (path: string): File | Folder | undefined => {
    let here: File | Folder | undefined = root
    for (const name of path.split("/").filter((part) => part !== "")) {
      if (here?.kind === "file") return undefined
      here = here?.entries.get(name)
    }
    return here
  }

  const get = (call: string, path: string): File | Folder => {
    const found = find(path)
    if (found !== undefined) return found
    const isInFile = path.split("/").some((_, i, parts) => find(parts.slice(0, i).join("/"))?.kind === "file")
    throw new Refused(isInFile ? "ENOTDIR" : "ENOENT", call, path)
  }

  const folderAt = (call: string, path: string): Folder => {
    const found = get(call, path)
    if (found.kind === "folder") return found
    throw new Refused("ENOTDIR", call, path)
  }

  const parentOf = (call: string, path: string): Folder => folderAt(call, dirname(path))

  /** `from`: where it was until now */
  const enter = (
    folder: Folder,
    name: string,
    entry: File | Folder,
    from?: { readonly folder: Folder; readonly name: string }
  ) => {
    if (entry.kind === "file") entry.names.push({ folder, name })
    folder.entries.set(name, entry)
    changed(folder, () => {
      from?.folder.lasting.delete(from.name)
      folder.lasting.set(name, entry)
    })
    folder.modified = now()
    told(folder, name)
  }

  const leave = (folder: Folder, name: string) => {
    const entry = folder.entries.get(name)
    if (entry?.kind === "file") {
      const home = entry.names.findIndex((one) => one.folder === folder && one.name === name)
      if (home >= 0) entry.names.splice(home, 1)
    }
    folder.entries.delete(name)
    folder.modified = now()
    told(folder, name)
  }

  const takeOut = (folder: Folder, name: string) => {
    leave(folder, name)
    changed(folder, () => folder.lasting.delete(name))
  }

  const create = (path: string, mode: number): File => {
    const folder = parentOf("open", path)
    if (folder.entries.has(basename(path))) throw new Refused("EEXIST", "open", path)
    const [bytes, lasting] = [new Uint8Array(0), new Uint8Array(0)]
    const file: File = { kind: "file", names: [], bytes, mode, modified: now(), lasting, isGivenUp: false }
    enter(folder, basename(path), file)
    return file
  }

  const write = (file: File, position: number, bytes: Uint8Array): void => {
    const end = Math.max(file.bytes.length, position + bytes.length)
    // room for what comes next, so that a file which grows is not copied each time
    const whole =
      end <= file.bytes.buffer.byteLength && file.bytes.buffer instanceof ArrayBuffer
        ? new Uint8Array(file.bytes.buffer, 0, end)
        : new Uint8Array(new ArrayBuffer(end * 2), 0, end)
    if (whole.buffer !== file.bytes.buffer) whole.set(file.bytes)
    whole.set(bytes, position)
    file.bytes = whole
    file.modified = now()
    for (const { folder, name } of file.names) told(folder, name)
  }

  const setMode = (path: string, mode: number): void => {
    const entry = get("chmod", path)
    entry.mode = mode
    if (entry.kind === "file") for (const { folder, name } of entry.names) told(folder, name)
  }

  const touch = (path: string): void => {
    const entry = find(path)
    if (entry === undefined) return
    entry.modified = now()
    if (entry.kind === "file") for (const { folder, name } of entry.names) told(folder, name)
  }

  const makeFolder = (path: string, mode: number): void => {
    const parts = path.split("/").filter((part) => part !== "")
    let here: Folder = root
    for (const [i, name] of parts.entries()) {
      const next = here.entries.get(name)
      if (next?.kind === "file") throw new Refused(i < parts.length - 1 ? "ENOTDIR" : "EEXIST", "mkdir", path)
      const folder = next ?? folderNow(mode)
      if (next === undefined) enter(here, name, folder)
      here = folder
    }
  }

  const rename = (from: string, to: string): void => {
    const entry = get("rename", from)
    const target = parentOf("rename", to)
    const replaced = target.entries.get(basename(to))
    if (replaced === entry) return
    if (replaced?.kind === "folder") {
      if (entry.kind === "file") throw new Refused("EISDIR", "rename", to)
      if (replaced.entries.size > 0) throw new Refused("ENOTEMPTY", "rename", to)
    }
    if (replaced?.kind === "file" && entry.kind === "folder") throw new Refused("ENOTDIR", "rename", to)
    const before = { folder: parentOf("rename", from), name: basename(from) }
    leave(before.folder, before.name)
    // what it replaces leaves without a word of its own
    if (replaced?.kind === "file") replaced.names.splice(0)
    enter(target, basename(to), entry, before)
  }

  const link = (from: string, to: string): void => {
    const entry = get("link", from)
    if (entry.kind === "folder") throw new Refused("EPERM", "link", from)
    const folder = parentOf("link", to)
    if (folder.entries.has(basename(to))) throw new Refused("EEXIST", "link", to)
    enter(folder, basename(to), entry)
  }

  const remove = (path: string): void => {
    if (get("unlink", path).kind === "folder") throw new Refused("EISDIR", "unlink", path)
    takeOut(parentOf("unlink", path), basename(path))
  }

  const removeAll = (path: string): void => {
    const entry = find(path)
    if (entry?.kind === "folder") for (const name of entry.entries.keys()) removeAll(`${path}/${name}`)
    if (entry !== undefined) takeOut(parentOf("rm", path), basename(path))
  }

  const filesIn = (folder: Folder): ReadonlyArray<File> =>
    [...folder.entries.values()].flatMap((entry) => (entry.kind === "file" ? [entry] : filesIn(entry)))

  /** bytes of all files */
  const used = (): number => [...new Set(filesIn(root))].reduce((all, { bytes }) => all + bytes.length, 0)

  /** The power is cut, and the machine starts again: who has a file open has it no more. */
  const losePower = (chance: () => number): void => {
    root = afterPowerCut(root, chance)
  }

  return { get, folderAt, create, write, setMode, touch, makeFolder, rename, link, remove, removeAll, used, losePower }
}
