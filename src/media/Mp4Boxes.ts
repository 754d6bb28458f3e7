/** Boxes of the ISO base media file format (ISO 14496-12, 4.2), in bytes that may be anything. */

/** A box within some bytes: where its content begins and ends. */
export interface Box {
  readonly type: string
  readonly start: number
  readonly end: number
}

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

export const typeAt = (view: DataView, offset: number): string => {
  let type = ""
  for (let i = 0; i < 4; i++) type += String.fromCharCode(view.getUint8(offset + i))
  return type
}

/** The head of a box at `at`: its type and size with the head's; undefined: none, or one that makes no sense. */
export const boxHead = (
  view: DataView,
  at: number
): { readonly type: string; readonly size: number; readonly head: number } | undefined => {
  if (at + 8 > view.byteLength) return undefined
  const short = view.getUint32(at)
  if (short === 1 && at + 16 > view.byteLength) return undefined
  const [size, head] = short === 1 ? [Number(view.getBigUint64(at + 8)), 16] : [short, 8]
  return size < head || !Number.isSafeInteger(size) ? undefined : { type: typeAt(view, at + 4), size, head }
}

/** The boxes from `start` to `end`, as far as they are whole. */
export function* boxesIn(view: DataView, start: number, end: number): Generator<Box, void> {
  let at = start
  while (at < end) {
    const found = boxHead(view, at)
    if (found === undefined || at + found.size > end) return
    yield { type: found.type, start: at + found.head, end: at + found.size }
    at += found.size
  }
}

/** The first box of this path, such as `mdia`, `minf`, `stbl`. */
export const boxAt = (view: DataView, within: Pick<Box, "start" | "end">, ...path: ReadonlyArray<string>) => {
  let found: Pick<Box, "start" | "end"> | undefined = within
  for (const type of path) {
    if (found === undefined) return undefined
    found = [...boxesIn(view, found.start, found.end)].find((box) => box.type === type)
  }
  return found
}
