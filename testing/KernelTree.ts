import type { KernelFile } from "../src/ground/KernelFiles.ts"

interface Folder {
  readonly _tag: "Folder"
  readonly inode: bigint
  readonly entries: Map<string, Entry>
}

type Entry =
  | Folder
  | { readonly _tag: "Text"; readonly inode: bigint; readonly text: string }
  | { readonly _tag: "Link"; readonly inode: bigint; readonly target: string }
  | { readonly _tag: "Node"; readonly inode: bigint; readonly device: bigint }

/** What is put into the tree: a text, where a link leads to, the number of a device. */
export type Content = { readonly text: string } | { readonly target: string } | { readonly device: bigint }

/** As many links as the kernel follows in one path (path_resolution(7)). */
const maxLinks = 40

export const join = (...parts: ReadonlyArray<string>): string => parts.join("/")

const namesIn = (path: string): ReadonlyArray<string> => path.split("/").filter((name) => name !== "")

/** The path that a link in this folder leads to, without `..`. */
const resolved = (folder: ReadonlyArray<string>, target: string): ReadonlyArray<string> => {
  const names: Array<string> = target.startsWith("/") ? [] : [...folder]
  for (const name of namesIn(target)) {
    if (name === "..") names.pop()
    else if (name !== ".") names.push(name)
  }
  return names
}

/** The kernel's file systems in memory: folders, texts, links and nodes, by absolute paths without `..`. */
export const makeTree = () => {
  let lastInode = 0n
  const emptyFolder = (): Folder => ({ _tag: "Folder", inode: ++lastInode, entries: new Map() })
  const root = emptyFolder()

  const find = (names: ReadonlyArray<string>, isFollowed: boolean, links = 0): Entry | undefined => {
    let at: Entry = root
    for (const [i, name] of names.entries()) {
      const next: Entry | undefined = at._tag === "Folder" ? at.entries.get(name) : undefined
      if (next === undefined || links > maxLinks) return undefined
      if (next._tag === "Link" && (isFollowed || i < names.length - 1)) {
        return find([...resolved(names.slice(0, i), next.target), ...names.slice(i + 1)], isFollowed, links + 1)
      }
      at = next
    }
    return at
  }

  const folder = (names: ReadonlyArray<string>): Folder => {
    let at = root
    for (const name of names) {
      const next = at.entries.get(name) ?? emptyFolder()
      if (next._tag !== "Folder") throw new Error(`${names.join("/")}: ${name} is no folder`)
      at.entries.set(name, next)
      at = next
    }
    return at
  }

  const put = (path: string, content: Content): void => {
    const names = namesIn(path)
    const inode = ++lastInode
    const entry: Entry =
      "text" in content
        ? { _tag: "Text", inode, ...content }
        : "target" in content
          ? { _tag: "Link", inode, ...content }
          : { _tag: "Node", inode, ...content }
    folder(names.slice(0, -1)).entries.set(names.at(-1) ?? "", entry)
  }

  return {
    /** with the folders above it */
    makeFolder: (path: string): void => void folder(namesIn(path)),
    /** in a folder that is made where there is none, as a new file: with an inode of its own */
    put,
    /** what has this name itself, with all that is in it; nothing there is fine */
    remove: (path: string): void => {
      const names = namesIn(path)
      const above = find(names.slice(0, -1), true)
      if (above?._tag === "Folder") above.entries.delete(names.at(-1) ?? "")
    },
    exists: (path: string): boolean => find(namesIn(path), true) !== undefined,
    file: (path: string): KernelFile | undefined => {
      const entry = find(namesIn(path), true)
      if (entry === undefined) return undefined
      return { inode: entry.inode, device: entry._tag === "Node" ? entry.device : undefined }
    },
    text: (path: string): string | undefined => {
      const entry = find(namesIn(path), true)
      return entry?._tag === "Text" ? entry.text : undefined
    },
    target: (path: string): string | undefined => {
      const entry = find(namesIn(path), false)
      return entry?._tag === "Link" ? entry.target : undefined
    },
    names: (path: string): ReadonlyArray<string> => {
      const entry = find(namesIn(path), true)
      return entry?._tag === "Folder" ? [...entry.entries.keys()] : []
    }
  }
}
