import { once } from "node:events"
import { WebSocket } from "ws"
import { type Command, frame, type Heard, type Tally } from "./Load.ts"
import { socketOptions } from "./Rpc.ts"

/**
 * Many clients in a process of their own, told what to do by `Load.ts`. Frames are made beforehand and replies are not
 * parsed, so that what is measured is the service.
 */

const sockets: Array<WebSocket> = []
/** what is done with a frame that comes for the client of this number */
let receive: (index: number, data: Buffer) => void = () => undefined
let heard: Promise<Heard> | undefined

/** The same clock in all processes of a machine, in milliseconds. */
const monotonic = (): number => Number(process.hrtime.bigint()) / 1e6

const openAtOnce = 50

const isNotification = (data: Buffer): boolean => !data.includes('"id":')

const open = async (url: string, token: string | undefined, count: number): Promise<void> => {
  const openOne = async (): Promise<void> => {
    const socket = new WebSocket(url, socketOptions)
    const index = sockets.push(socket) - 1
    await once(socket, "open")
    if (token !== undefined) {
      socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "authenticate", params: { auth_token: token } }))
      const [reply] = (await once(socket, "message")) as [Buffer]
      if (!reply.includes('"authenticated":true')) throw new Error(reply.toString())
    }
    socket.on("message", (data: Buffer) => receive(index, data))
  }
  for (let left = count; left > 0; left -= openAtOnce) {
    await Promise.all(Array.from({ length: Math.min(left, openAtOnce) }, openOne))
  }
}

/** Every client sends its next call when it has the reply; gives the seconds that all calls took. */
const closedLoop = (calls: number, texts: ReadonlyArray<string>): Promise<number> => {
  const { promise, reject, resolve } = Promise.withResolvers<number>()
  let sent = 0
  let answered = 0
  const began = performance.now()
  const send = (index: number): void => {
    if (sent < calls) sockets[index]?.send(texts[sent++ % texts.length] ?? "")
  }
  receive = (index, data) => {
    if (isNotification(data)) return
    if (data.includes('"error":')) return reject(new Error(data.toString()))
    answered++
    if (answered === calls) resolve((performance.now() - began) / 1000)
    else send(index)
  }
  for (const index of sockets.keys()) send(index)
  return promise
}

/** Every client sends one call a second, evenly spread; gives the milliseconds to each reply. */
const paced = (seconds: number, texts: ReadonlyArray<string>): Promise<ReadonlyArray<number>> => {
  const { promise, reject, resolve } = Promise.withResolvers<ReadonlyArray<number>>()
  const total = sockets.length * seconds
  const sentAt = new Float64Array(sockets.length)
  const times: Array<number> = []
  let sent = 0
  receive = (index, data) => {
    if (isNotification(data)) return
    times.push(performance.now() - (sentAt[index] ?? 0))
    if (data.includes('"error":')) return reject(new Error(data.toString()))
    if (times.length === total) resolve(times)
  }
  const began = performance.now()
  const step = (): void => {
    const due = Math.min(total, ((performance.now() - began) / 1000) * sockets.length)
    while (sent < due) {
      const index = sent % sockets.length
      sentAt[index] = performance.now()
      sockets[index]?.send(texts[sent % texts.length] ?? "")
      sent++
    }
    if (sent < total) setTimeout(step, 1)
  }
  step()
  return promise
}

/** When the first and the last client had a frame with this text. */
const listen = (containing: string): void => {
  const { promise, resolve } = Promise.withResolvers<Heard>()
  heard = promise
  const reached = new Set<number>()
  let first = 0
  receive = (index, data) => {
    if (reached.has(index) || !data.includes(containing)) return
    const now = monotonic()
    if (reached.size === 0) first = now
    reached.add(index)
    if (reached.size === sockets.length) resolve({ first, last: now })
  }
}

const tallies = new Map<string, { clients: number; last: number }>()

const subscribe = (topics: ReadonlyArray<string>): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const mark = '"filename":"'
  let subscribed = 0
  tallies.clear()
  receive = (_, data) => {
    const at = data.indexOf(mark) + mark.length
    if (at < mark.length) {
      if (data.includes('"subscribed":true') && ++subscribed === sockets.length) resolve()
      return
    }
    const filename = data.toString("latin1", at, data.indexOf('"', at))
    const tally = tallies.get(filename)
    const last = monotonic()
    if (tally === undefined) tallies.set(filename, { clients: 1, last })
    else {
      tally.clients++
      tally.last = last
    }
  }
  for (const socket of sockets) socket.send(frame("subscribe_events", { topics }))
  return promise
}

const tallied = (): ReadonlyArray<Tally> => Array.from(tallies, ([filename, tally]) => ({ filename, ...tally }))

const close = (): void => {
  receive = () => undefined
  for (const socket of sockets) socket.terminate()
  sockets.length = 0
}

const obey = async (command: Command): Promise<unknown> => {
  switch (command.task) {
    case "open":
      return open(command.url, command.token, command.connections)
    case "closedLoop":
      return closedLoop(command.calls, command.texts)
    case "paced":
      return paced(command.seconds, command.texts)
    case "listen":
      return listen(command.containing)
    case "heard":
      return heard
    case "subscribe":
      return subscribe(command.topics)
    case "tallied":
      return tallied()
    case "close":
      return close()
  }
}

process.on("message", (command: Command) => {
  void obey(command).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) })
  )
})
// whoever started it has gone
process.on("disconnect", () => process.exit())
