import * as Effect from "effect/Effect"
import { once } from "node:events"
import { createServer } from "node:net"

// Below the ports that Linux gives to clients (net.ipv4.ip_local_port_range): thousands of clients would sooner or later
// get the port of a service that is down for a moment, and one that knocks there while it is down would meet itself.
const lowest = 20_000
const highest = 32_000

const isFree = async (port: number): Promise<boolean> => {
  const server = createServer()
  try {
    await once(server.listen(port, "127.0.0.1"), "listening")
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}

/** Ports of 127.0.0.1 that nobody listens on, all different, and that no client is given. */
export const quietPorts = async (count: number): Promise<ReadonlyArray<number>> => {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest))
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}

export const freePorts = (count: number): Effect.Effect<ReadonlyArray<number>> =>
  Effect.promise(() => quietPorts(count))
