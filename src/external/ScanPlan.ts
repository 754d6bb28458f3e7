import type { ExternalStreamType } from "../../schema/External.ts"

/** Where streams are looked for, by what the configuration says. Pure. */

/** A port of an address, and what is asked for there. */
export interface Door {
  readonly address: string
  readonly port: number
  /** one after the other, for many cameras serve one at a time */
  readonly paths: ReadonlyArray<string>
  readonly type: ExternalStreamType
}

/** `ranges`: IPv4 addresses and networks; `streams`: `5554/subject`. Ranges that are told first are looked at first. */
export const doorsOf = (
  type: ExternalStreamType,
  ranges: ReadonlyArray<string>,
  streams: ReadonlyArray<string>
): ReadonlyArray<Door> => {
  const ports = new Map<number, Array<string>>()
  for (const stream of streams) {
    const slash = stream.indexOf("/")
    const port = Number(stream.slice(0, slash))
    ports.set(port, [...(ports.get(port) ?? []), stream.slice(slash)])
  }
  const addresses = new Set(ranges.flatMap(addressesIn))
  return Array.from(addresses).flatMap((address) =>
    Array.from(ports, ([port, paths]) => ({ address, port, paths, type }))
  )
}

/** Those that machines may have; the first and the last of a network of four or more are the network's own. */
const addressesIn = (range: string): ReadonlyArray<string> => {
  const [first = "", bits = "32"] = range.split("/")
  const size = 2 ** (32 - Number(bits))
  const start = first.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0)
  const all = Array.from({ length: size }, (_, at) => addressOf(start - (start % size) + at))
  return size < 4 ? all : all.slice(1, -1)
}

const addressOf = (number: number): string =>
  [24, 16, 8, 0].map((bits) => Math.floor(number / 2 ** bits) % 256).join(".")
