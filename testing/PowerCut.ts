import type { File, Folder } from "./MemoryFiles.ts"

/*
 * What outlives a power cut: of a file its bytes when it was last synced, of a folder the names in it when that was. What
 * came later is there or not, as chance has it: a name without its bytes, too, for each is written when the kernel likes.
 */

type Entry = File | Folder

/** So many changes of names nobody syncs before the kernel writes them by itself. */
const mostUnsynced = 256

/** The names in a folder have changed; `onDisk` does the same to what outlives a power cut. */
export const changed = ({ unsynced }: Folder, onDisk: () => void): void => {
  unsynced.push(onDisk)
  if (unsynced.length > mostUnsynced) unsynced.shift()?.()
}

export const sync = (entry: Entry): void => {
  if (entry.kind === "folder") for (const onDisk of entry.unsynced.splice(0)) onDisk()
  else if (!entry.isGivenUp) entry.lasting = entry.bytes.slice()
}

/** A sync has failed: the kernel takes what it could not write for written, and no later sync writes it (fsync(2)). */
export const giveUp = (entry: Entry): void => {
  if (entry.kind === "file") entry.isGivenUp = true
}

/**
 * The folder, and all in it, as the next start finds it. Of the changes of its names since its last sync the first ones
 * have happened, in order, as in a journal; of a file there is what was synced, all of it, or some of what came after it.
 */
export const afterPowerCut = (root: Folder, chance: () => number): Folder => {
  const files = new Map<File, File>()

  const bytesOf = ({ bytes, isGivenUp, lasting }: File): Uint8Array => {
    const luck = chance()
    if (isGivenUp || luck < 1 / 3) return lasting
    if (luck < 2 / 3) return bytes.slice()
    const more = Math.max(0, bytes.length - lasting.length)
    return bytes.slice(0, lasting.length + Math.floor(chance() * more))
  }

  const fileOf = (file: File): File => {
    // one that has several names is one file
    const known = files.get(file)
    if (known !== undefined) return known
    const bytes = bytesOf(file)
    const left: File = { ...file, names: [], bytes: bytes.slice(), lasting: bytes, isGivenUp: false }
    files.set(file, left)
    return left
  }

  const folderOf = (folder: Folder): Folder => {
    const written = Math.floor(chance() * (folder.unsynced.length + 1))
    for (const onDisk of folder.unsynced.splice(0, written)) onDisk()
    const entries = new Map<string, Entry>()
    const left: Folder = { ...folder, entries, lasting: new Map(), unsynced: [] }
    for (const [name, entry] of folder.lasting) {
      const there = entry.kind === "file" ? fileOf(entry) : folderOf(entry)
      if (there.kind === "file") there.names.push({ folder: left, name })
      entries.set(name, there)
      left.lasting.set(name, there)
    }
    return left
  }
  return folderOf(root)
}
