/** What a disk was told, in this order. */
export type Entry =
  | { readonly kind: "write"; readonly offset: number; readonly bytes: Buffer; readonly end: number }
  | { readonly kind: "discard"; readonly offset: number; readonly length: number; readonly end: number }
  /** what was written before lasts from here on */
  | { readonly kind: "flush"; readonly end: number }

/** Linux, drivers/md/dm-log-writes.c, whose format QEMU's blklogwrites writes: little-endian, in sectors of the log. */
const magic = 0x6a736677736872n
const sector = 512
const [flush, discard] = [1n, 4n]

/** The entries of a log; `end`: so many bytes of the log were there when this one was. */
export const readWriteLog = (log: Buffer): ReadonlyArray<Entry> => {
  if (log.readBigUInt64LE(0) !== magic || log.readUInt32LE(24) !== sector) throw new Error("that is no log of writes")
  const entries: Array<Entry> = []
  let at = sector
  // to its end: what it says of its own length is as old as the last flush
  while (at < log.length) {
    const offset = Number(log.readBigUInt64LE(at)) * sector
    const length = Number(log.readBigUInt64LE(at + 8)) * sector
    const flags = log.readBigUInt64LE(at + 16)
    at += sector
    if ((flags & discard) !== 0n) {
      entries.push({ kind: "discard", offset, length, end: at })
      continue
    }
    if (length > 0) entries.push({ kind: "write", offset, bytes: log.subarray(at, (at += length)), end: at })
    if ((flags & flush) !== 0n) entries.push({ kind: "flush", end: at })
  }
  return entries
}

/** A moment at which the power goes: the disk has done these entries, and of the next ones what it liked to. */
export interface Cut {
  /** so many entries last: the last of them is a flush */
  readonly lasting: number
  /** so many were under way or done */
  readonly done: number
  /** which blocks of those that came after the flush are on the disk all the same */
  readonly isKept: () => boolean
}

/** A write is torn at these bounds: an ext4 block. */
const block = 4096

/** The disk at each cut; the cuts come in the order of their flushes. */
export const makeReplay = (blank: Buffer, entries: ReadonlyArray<Entry>) => {
  const disk = Buffer.from(blank)
  let applied = 0

  const apply = (entry: Entry, isKept: () => boolean, undo?: Array<() => void>): void => {
    if (entry.kind !== "write") return
    const { bytes, offset } = entry
    for (let at = 0; at < bytes.length; at += block) {
      if (!isKept()) continue
      const piece = bytes.subarray(at, at + block)
      if (undo !== undefined) {
        const before = Buffer.from(disk.subarray(offset + at, offset + at + piece.length))
        undo.push(() => void before.copy(disk, offset + at))
      }
      piece.copy(disk, offset + at)
    }
  }
  const always = () => true

  /** Gives the disk to `use`, which keeps nothing of it. */
  const at = <A>({ done, isKept, lasting }: Cut, use: (disk: Buffer) => A): A => {
    if (lasting < applied) throw new Error("the cuts go back")
    while (applied < lasting) {
      const entry = entries[applied++]
      if (entry !== undefined) apply(entry, always)
    }
    const undo: Array<() => void> = []
    for (const entry of entries.slice(lasting, done)) apply(entry, isKept, undo)
    const used = use(disk)
    for (const one of undo.toReversed()) one()
    return used
  }
  return { at }
}
