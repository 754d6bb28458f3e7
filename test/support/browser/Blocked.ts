import { createSocket } from "node:dgram"
import { once } from "node:events"
import { type AddressInfo, createServer, type Socket } from "node:net"
import type { Page } from "playwright-core"

export type Protocol = "udp" | "tcp"

/** Ports that take all that comes and answer nothing: what a browser meets where a firewall drops its packets. */
export interface Holes extends Disposable {
  readonly ports: Readonly<Record<Protocol, number>>
}

export const makeHoles = async (): Promise<Holes> => {
  const sockets = new Set<Socket>()
  const udp = createSocket("udp4").bind(0)
  await once(udp, "listening")
  const tcp = createServer((socket) => {
    sockets.add(socket)
    socket.resume().on("error", () => undefined)
  }).listen(0)
  await once(tcp, "listening")
  return {
    ports: { udp: udp.address().port, tcp: (tcp.address() as AddressInfo).port },
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.destroy()
      tcp.close()
      udp.close()
    }
  }
}

/** Has the page told, over WHEP, that MediaMTX is to be met there over these protocols. */
export const block = (page: Page, { ports }: Holes, protocols: ReadonlyArray<Protocol>): Promise<unknown> =>
  page.route(/\/whep\/camera\d+$/, async (route) => {
    // a connection that is kept may be closed by the service as it is used again
    const response = await route.fetch({ maxRetries: 3 })
    const body = (await response.text()).replaceAll(
      /^(a=candidate:\S+ \d+ (udp|tcp) \d+ \S+) \d+/gim,
      (line, before: string, name: string) => {
        const protocol = name.toLowerCase() as Protocol
        return protocols.includes(protocol) ? `${before} ${ports[protocol]}` : line
      }
    )
    await route.fulfill({ response, body })
  })
