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

/** Doors, made as they come up: there may be some 100,000. */
export interface Plan {
  readonly size: number
  readonly doors: Iterable<Door>
}

/** `ranges`: IPv4 addresses and networks; `streams`: `5554/subject`. Ranges that are told first are looked at first. */
export const planOf = (
  type: ExternalStreamType,
  ranges: ReadonlyArray<string>,
  streams: ReadonlyArray<string>
): Plan => {
  const ports = new Map<number, Array<string>>()
  for (const stream of streams) {
    const slash = stream.indexOf("/")
    const port = Number(stream.slice(0, slash))
    ports.set(port, [...(ports.get(port) ?? []), stream.slice(slash)])
  }
  const addresses = new Set(ranges.flatMap(addressesIn))
  return { size: addresses.size * ports.size, doors: doorsOf(type, addresses, ports) }
}

/** One plan after the other. */
export const together = (plans: ReadonlyArray<Plan>): Plan => ({
  size: plans.reduce((sum, { size }) => sum + size, 0),
  doors: chain(plans)
})

function* doorsOf(
  type: ExternalStreamType,
  addresses: Iterable<string>,
  ports: ReadonlyMap<number, ReadonlyArray<string>>
): Generator<Door> {
  for (const address of addresses) for (const [port, paths] of ports) yield { address, port, paths, type }
}

function* chain(plans: ReadonlyArray<Plan>): Generator<Door> {
  for (const { doors } of plans) yield* doors
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
