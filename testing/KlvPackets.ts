/** Packets of a drone's metadata (MISB ST 0601), put down once more, as cameras of the test ground send them. */

type Item = readonly [tag: number, value: Uint8Array]

const uasKey = "060e2b34020b01010e01030101000000"

const lengthOf = (bytes: number): ReadonlyArray<number> =>
  bytes < 128 ? [bytes] : [0x82, Math.floor(bytes / 256), bytes % 256]
const tagOf = (tag: number): ReadonlyArray<number> => (tag < 128 ? [tag] : [0x80 + Math.floor(tag / 128), tag % 128])

/** The items of a local set, one after the other. */
export const localSet = (items: ReadonlyArray<Item>): Buffer =>
  Buffer.concat(items.flatMap(([tag, value]) => [Buffer.from([...tagOf(tag), ...lengthOf(value.length)]), value]))

/** A packet of these items, with its checksum. */
export const uasPacket = (items: ReadonlyArray<Item>): Buffer => {
  const set = Buffer.concat([localSet(items), Buffer.from([1, 2, 0, 0])])
  const packet = Buffer.concat([Buffer.from(uasKey, "hex"), Buffer.from(lengthOf(set.length)), set])
  let sum = 0
  for (let i = 0; i < packet.length - 2; i++) sum += (packet[i] ?? 0) << (i % 2 === 0 ? 8 : 0)
  packet.writeUInt16BE(sum & 0xffff, packet.length - 2)
  return packet
}

/** Microseconds since 1970, as an item has them. */
export const timeItem = (microseconds: bigint): Item => {
  const value = Buffer.alloc(8)
  value.writeBigUInt64BE(microseconds)
  return [2, value]
}

/** What a drone sends that flies: `heading` in degrees, at this time of its own (epoch milliseconds). */
export const flying = (heading: number, millis: number): Buffer => {
  const angle = Buffer.alloc(2)
  angle.writeUInt16BE(Math.round((heading / 360) * 65_535))
  return uasPacket([
    timeItem(BigInt(millis) * 1000n),
    [3, Buffer.from("MISSION 01")],
    [5, angle],
    [48, localSet([[1, Buffer.from([1])]])],
    [65, Buffer.from([19])]
  ])
}
