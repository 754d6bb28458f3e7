import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { Login } from "./Login.ts"
import { headerOf, isOneWord, type Reply, type SentHeaders, serialise } from "./Message.ts"
import { failureOf } from "./Refusal.ts"
import { RtspFailed } from "./RtspFailed.ts"

/** Cameras that sleep need seconds for their first answer. */
const answerTime = Duration.seconds(3)
/** Servers take their time to refuse a password, so that nobody tries many: MediaMTX 2 to 5 s. */
const loginTime = Duration.seconds(6)
/** A server may want another nonce for every request, and one that wants another one again and again never has enough. */
const maxNonces = 3

const agent = "camera-service"

/** What is asked on one connection. */
export interface Requests {
  /** one after the other; fails unless it is answered with a success (2xx) */
  readonly ask: (method: string, uri: string, headers?: SentHeaders, body?: string) => Effect.Effect<Reply, RtspFailed>
  /** says it and waits for no answer */
  readonly say: (method: string, uri: string, headers?: SentHeaders) => void
  /** for who hears the connection: this has come */
  readonly replied: (reply: Reply) => void
}

/** Makes them; what waits for an answer when the dialogue has `ended` fails with that. */
export const makeRequests = Effect.fnUntraced(function* (
  login: Login,
  write: (bytes: Uint8Array) => void,
  ended: Effect.Effect<never, RtspFailed>
) {
  const turns = yield* Semaphore.make(1)
  let waiting: { readonly number: number; readonly reply: Deferred.Deferred<Reply> } | undefined
  let numbers = 0

  const replied = (heard: Reply): void => {
    // an answer that came too late is nobody's; some leave the number out
    const number = headerOf(heard.headers, "cseq")
    if (waiting === undefined || (number !== undefined && Number(number) !== waiting.number)) return
    const { reply } = waiting
    // who asked may ask the next at once
    waiting = undefined
    Deferred.doneUnsafe(reply, Effect.succeed(heard))
  }

  /** Gives whether the request shows who we are. */
  const send = (method: string, uri: string, headers: SentHeaders, body?: string): boolean => {
    const Authorization = login.sign(method, uri)
    const all = { CSeq: String(++numbers), "User-Agent": agent, ...headers, Authorization }
    write(serialise(`${method} ${uri} RTSP/1.0`, all, body))
    return Authorization !== undefined
  }

  const once = Effect.fnUntraced(function* (method: string, uri: string, headers: SentHeaders, body?: string) {
    const reply = Deferred.makeUnsafe<Reply>()
    waiting = { number: numbers + 1, reply }
    const isSigned = send(method, uri, headers, body)
    const patience = isSigned && !login.isKnown() ? loginTime : answerTime
    const heard = yield* Effect.raceFirst(Deferred.await(reply), ended).pipe(
      Effect.timeoutOrElse({
        duration: patience,
        orElse: () => {
          const detail = `no answer to ${method} within ${Duration.toSeconds(patience)} s`
          return Effect.fail(new RtspFailed({ kind: "STALLED", detail }))
        }
      })
    )
    return { heard, isSigned }
  })

  const ask = Effect.fnUntraced(function* (method: string, uri: string, headers: SentHeaders = {}, body?: string) {
    if (!isOneWord(uri)) return yield* new RtspFailed({ kind: "PROTOCOL", detail: "an address that is none" })
    for (let nonces = 0; nonces <= maxNonces; nonces++) {
      const { heard, isSigned } = yield* once(method, uri, headers, body)
      if (heard.status === 401) {
        yield* login.refused(heard, isSigned)
        continue
      }
      if (isSigned) login.accepted()
      if (heard.status >= 200 && heard.status < 300) return heard
      return yield* failureOf(method, heard)
    }
    return yield* new RtspFailed({ kind: "AUTH_FAILED", detail: "it wants another nonce again and again" })
  }, turns.withPermit)

  const say = (method: string, uri: string, headers: SentHeaders = {}) => void send(method, uri, headers)
  return { ask, say, replied } satisfies Requests as Requests
})
