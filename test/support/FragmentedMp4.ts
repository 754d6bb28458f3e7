export const box = (type: string, ...contents: ReadonlyArray<Uint8Array>) => {
  const body = Buffer.concat(contents)
  const head = Buffer.alloc(8)
  head.writeUInt32BE(body.length + 8)
  head.write(type, 4, "latin1")
  return Buffer.concat([head, body])
}
export const words = (...values: ReadonlyArray<number>) => {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, i * 4)
  return bytes
}

/** The boxes as a recorder writes them (ISO 14496-12, 8.3 to 8.8): video is track 1, at 1000 units a second. */
export const trak = (id: number, handler: string, entry: Uint8Array) =>
  box(
    "trak",
    box("tkhd", words(0, 0, 0, id), Buffer.alloc(68)),
    box(
      "mdia",
      box("mdhd", words(0, 0, 0, 1000, 0, 0)),
      box("hdlr", words(0, 0), Buffer.from(handler), Buffer.alloc(12)),
      box("minf", box("stbl", box("stsd", words(0, 1), entry)))
    )
  )
export const avc1 = box("avc1", Buffer.alloc(78), box("avcC", Buffer.from([1, 0x42, 0xc0, 0x1e, 0xff])))
const trex = (id: number) => box("trex", words(0, id, 1, 40, 0, 0x10000))
export const start = (...entries: ReadonlyArray<Uint8Array>) =>
  Buffer.concat([
    box("ftyp", Buffer.from("isom\0\0\0\0")),
    box("moov", box("mvhd", Buffer.alloc(100)), ...entries, box("mvex", trex(1), trex(2)))
  ])
/** What a recording of H.264 begins with. */
export const init = start(trak(1, "vide", avc1))

/** The flags of a keyframe's sample. */
export const key = 0x02000000
/** A fragment whose samples (40 units each) have these flags, in bytes as a recorder writes them. */
export const fragment = (at: number, samples: ReadonlyArray<number>, track = 1) =>
  Buffer.concat([
    box(
      "moof",
      box("mfhd", words(0, 1)),
      box(
        "traf",
        box("tfhd", words(0x020000, track)),
        box("tfdt", words(0, at)),
        box("trun", words(0x400, samples.length, ...samples))
      )
    ),
    box("mdat", Buffer.alloc(100))
  ])
export const other = 0x10000
