import { fork } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { whenBrokenOff } from "./Ending.ts"

/** When notifications came, in milliseconds of the machine's monotonic clock. */
export interface Heard {
  readonly first: number
  readonly last: number
}

/** An event that tells of this file, how many clients had it, and when the last of them did. */
export interface Tally extends Pick<Heard, "last"> {
  readonly filename: string
  readonly clients: number
}

export type Command =
  | { readonly task: "open"; readonly url: string; readonly token: string | undefined; readonly connections: number }
  | { readonly task: "closedLoop"; readonly calls: number; readonly texts: ReadonlyArray<string> }
  | { readonly task: "paced"; readonly seconds: number; readonly texts: ReadonlyArray<string> }
  | { readonly task: "listen"; readonly containing: string }
  | { readonly task: "heard" }
  | { readonly task: "subscribe"; readonly topics: ReadonlyArray<string> }
  | { readonly task: "tallied" }
  | { readonly task: "close" }

type Answer = { readonly result?: unknown } | { readonly error: string }

/** Clients in a process of their own. */
export interface Load extends Disposable {
  /** opens so many connections, authenticated where there is a token */
  readonly open: (target: {
    readonly url: string
    readonly token?: string
    readonly connections: number
  }) => Promise<void>
  /** so many calls in all, one at a time on each connection; gives the seconds they took */
  readonly closedLoop: (calls: number, texts: ReadonlyArray<string>) => Promise<number>
  /** one call a second on each connection; gives the milliseconds to each reply */
  readonly paced: (seconds: number, texts: ReadonlyArray<string>) => Promise<ReadonlyArray<number>>
  /** from now on, look for this text on all connections */
  readonly listen: (containing: string) => Promise<void>
  /** waits until every connection has got it */
  readonly heard: () => Promise<Heard>
  /** subscribes on all connections, and counts the events that tell of a file from now on */
  readonly subscribe: (topics: ReadonlyArray<string>) => Promise<void>
  readonly tallied: () => Promise<ReadonlyArray<Tally>>
  readonly close: () => Promise<void>
}

/** A request as its text frame. */
export const frame = (method: string, params?: unknown): string =>
  JSON.stringify({ jsonrpc: "2.0", id: 1, method, params })

export const startLoad = (): Load => {
  const child = fork(join(import.meta.dirname, "LoadProcess.ts"))
  const keep = whenBrokenOff(() => child.kill("SIGKILL"))
  const ended = once(child, "exit").then(() => {
    throw new Error("the load process ended")
  })
  // reported by whatever waits for an answer; nobody waits after the end
  ended.catch(() => undefined)
  const ask = async <A>(command: Command): Promise<A> => {
    child.send(command)
    const [answer] = (await Promise.race([once(child, "message"), ended])) as [Answer]
    if ("error" in answer) throw new Error(answer.error)
    return answer.result as A
  }
  return {
    open: ({ connections, token, url }) => ask({ task: "open", url, token, connections }),
    closedLoop: (calls, texts) => ask({ task: "closedLoop", calls, texts }),
    paced: (seconds, texts) => ask({ task: "paced", seconds, texts }),
    listen: (containing) => ask({ task: "listen", containing }),
    heard: () => ask({ task: "heard" }),
    subscribe: (topics) => ask({ task: "subscribe", topics }),
    tallied: () => ask({ task: "tallied" }),
    close: () => ask({ task: "close" }),
    [Symbol.dispose]: () => {
      child.kill("SIGKILL")
      keep()
    }
  }
}
