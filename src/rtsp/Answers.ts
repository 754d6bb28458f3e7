import type { Connection } from "../ground/Tcp.ts"
import { type Asked, headerOf, serialise } from "./Message.ts"
import { RtspFailed } from "./RtspFailed.ts"

/** A server that asks and does not read our answers. */
const maxUnsent = 64 * 1024
/** Servers ask whether we are there, every some seconds. */
const maxInSecond = 10

/** What servers ask only to see whether we are there. */
const known: ReadonlySet<string> = new Set(["OPTIONS", "GET_PARAMETER", "SET_PARAMETER"])

/** Makes what answers the requests of the other end; it gives why the dialogue is over, where one of them ends it. */
export const makeAnswers = (millis: () => number) => {
  /** requests since then, which is a second ago at most */
  let asked = 0
  let since = Number.NEGATIVE_INFINITY

  return ({ headers, method }: Asked, connection: Connection): RtspFailed | undefined => {
    const time = millis()
    if (time - since >= 1000) {
      since = time
      asked = 0
    }
    if (++asked > maxInSecond) return new RtspFailed({ kind: "PROTOCOL", detail: "it asks too often" })
    if (method === "REDIRECT") return new RtspFailed({ kind: "REDIRECTED", detail: "it sends to another address" })
    if (method === "TEARDOWN") return new RtspFailed({ kind: "UNREACHABLE", detail: "it ended the session" })
    const first = `RTSP/1.0 ${known.has(method) ? "200 OK" : "501 Not Implemented"}`
    connection.send(serialise(first, { CSeq: headerOf(headers, "cseq"), Session: headerOf(headers, "session") }))
    if (connection.unsent() <= maxUnsent) return undefined
    return new RtspFailed({ kind: "PROTOCOL", detail: "it asks and does not read the answers" })
  }
}
