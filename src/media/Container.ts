/** Of a container's first bytes: so many tell which it is. */
export const headBytes = 8

const startsWith = (head: Uint8Array, at: number, bytes: ReadonlyArray<number>): boolean =>
  bytes.every((byte, index) => head[at + index] === byte)

/** Whether a file that begins so is one of a recording's: MP4 (`ftyp`), MPEG-TS (its sync byte) or Matroska (EBML). */
export const isContainer = (head: Uint8Array): boolean =>
  startsWith(head, 4, [0x66, 0x74, 0x79, 0x70]) ||
  startsWith(head, 0, [0x47]) ||
  startsWith(head, 0, [0x1a, 0x45, 0xdf, 0xa3])
