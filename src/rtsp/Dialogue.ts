import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Semaphore from "effect/Semaphore"
import type { Connection, Tcp } from "../ground/Tcp.ts"
import { monotonicNow } from "../ground/Time.ts"
import { makeLogin } from "./Login.ts"
import { type Asked, headerOf, isOneWord, type Message, type Reply, serialise } from "./Message.ts"
import { type Hearing, Reader } from "./Reader.ts"
import { failureOf } from "./Refusal.ts"
import { RtspFailed } from "./RtspFailed.ts"
import type { RtspTarget } from "./Target.ts"
import { whyUnreachable } from "./Unreachable.ts"

/** A machine in the network that is there answers within milliseconds; who waits for the stream hears of one that is not. */
const connectTime = Duration.millis(900)
/** TLS takes a camera's processor a second or two. */
const secureConnectTime = Duration.seconds(3)
/** Cameras that sleep need seconds for their first answer. */
const answerTime = Duration.seconds(3)
/** Servers take their time to refuse a password, so that nobody tries many: MediaMTX 2 to 5 s. */
const loginTime = Duration.seconds(6)
/** A server may want another nonce for every request, and one that wants another one again and again never has enough. */
const maxNonces = 3
/** A server that asks and does not read our answers. */
const maxUnsent = 64 * 1024
/** Servers ask whether we are there, every some seconds. */
const maxAskedInSecond = 10

const agent = "camera-service"

/** What is said on one connection, but for the frames that come on it. "It" in what went wrong is the other end. */
export interface Dialogue {
  /** fails unless it is answered with a success (2xx) */
  readonly ask: (
    method: string,
    uri: string,
    headers?: Readonly<Record<string, string | undefined>>,
    body?: string
  ) => Effect.Effect<Reply, RtspFailed>
  /** says it and waits for no answer */
  readonly say: (method: string, uri: string, headers?: Readonly<Record<string, string | undefined>>) => void
  readonly connection: Connection
  /** fails when the connection ends, or what comes on it is no RTSP */
  readonly ended: Effect.Effect<never, RtspFailed>
}

/** Connects, for as long as the scope lives; who speaks next to each other takes turns. */
export const dial = Effect.fnUntraced(function* (
  tcp: Tcp["Service"],
  target: RtspTarget,
  { frame, frames }: Omit<Hearing, "message">
) {
  const login = makeLogin(target, (yield* Random.nextIntBetween(0, 2 ** 32)).toString(16).padStart(8, "0"))
  yield* Effect.addFinalizer(() => Effect.sync(login.end))
  const millis = yield* monotonicNow
  const turns = yield* Semaphore.make(1)
  const ended = Deferred.makeUnsafe<never, RtspFailed>()
  const end = (kind: RtspFailed["kind"], detail: string): void => {
    Deferred.doneUnsafe(ended, Effect.fail(new RtspFailed({ kind, detail })))
  }
  let waiting: { readonly number: number; readonly reply: Deferred.Deferred<Reply> } | undefined
  let numbers = 0
  /** requests since then, which is a second ago at most */
  let asked = 0
  let askedSince = Number.NEGATIVE_INFINITY

  const answer = ({ headers, method }: Asked): void => {
    if (Deferred.isDoneUnsafe(ended)) return
    const time = millis()
    if (time - askedSince >= 1000) {
      askedSince = time
      asked = 0
    }
    if (++asked > maxAskedInSecond) return end("PROTOCOL", "it asks too often")
    if (method === "REDIRECT") return end("REDIRECTED", "it sends to another address")
    if (method === "TEARDOWN") return end("UNREACHABLE", "it ended the session")
    const isKnown = ["OPTIONS", "GET_PARAMETER", "SET_PARAMETER"].includes(method)
    const first = `RTSP/1.0 ${isKnown ? "200 OK" : "501 Not Implemented"}`
    connection.send(serialise(first, { CSeq: headerOf(headers, "cseq"), Session: headerOf(headers, "session") }))
    if (connection.unsent() > maxUnsent) end("PROTOCOL", "it asks and does not read the answers")
  }

  const message = (heard: Message): void => {
    if (heard._tag === "Asked") return answer(heard)
    // an answer that came too late is nobody's; some leave the number out
    const number = headerOf(heard.headers, "cseq")
    if (waiting === undefined || (number !== undefined && Number(number) !== waiting.number)) return
    const { reply } = waiting
    // who asked may ask the next at once
    waiting = undefined
    Deferred.doneUnsafe(reply, Effect.succeed(heard))
  }

  const patience = target.isSecure ? secureConnectTime : connectTime
  const reader = new Reader({ frame, frames, message })
  const connection: Connection = yield* tcp
    .connect(target, {
      heard: (bytes) => {
        if (Deferred.isDoneUnsafe(ended)) return
        const wrong = reader.push(bytes)
        if (wrong !== undefined) end("PROTOCOL", `it sent ${wrong}`)
      },
      ended: (why) => end("UNREACHABLE", why)
    })
    .pipe(
      Effect.mapError(({ code }) => new RtspFailed({ kind: "UNREACHABLE", detail: whyUnreachable(code) })),
      Effect.timeoutOrElse({
        duration: patience,
        orElse: () => {
          const detail = `no connection within ${Duration.toSeconds(patience)} s`
          return Effect.fail(new RtspFailed({ kind: "UNREACHABLE", detail }))
        }
      })
    )
  if (target.fingerprint !== undefined && connection.fingerprint !== target.fingerprint) {
    const detail = `its certificate is another one than before: SHA-256 ${connection.fingerprint}`
    return yield* new RtspFailed({ kind: "CERTIFICATE_CHANGED", detail })
  }

  const send = (
    method: string,
    uri: string,
    headers: Readonly<Record<string, string | undefined>>,
    body?: string
  ): boolean => {
    const Authorization = login.sign(method, uri)
    const all = { CSeq: String(++numbers), "User-Agent": agent, ...headers, Authorization }
    connection.send(serialise(`${method} ${uri} RTSP/1.0`, all, body))
    return Authorization !== undefined
  }

  const once = Effect.fnUntraced(function* (
    method: string,
    uri: string,
    headers: Readonly<Record<string, string | undefined>>,
    body?: string
  ) {
    const reply = Deferred.makeUnsafe<Reply>()
    waiting = { number: numbers + 1, reply }
    const isSigned = send(method, uri, headers, body)
    const patience = isSigned && !login.isKnown() ? loginTime : answerTime
    const heard = yield* Effect.raceFirst(Deferred.await(reply), Deferred.await(ended)).pipe(
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

  const ask = Effect.fnUntraced(function* (
    method: string,
    uri: string,
    headers: Readonly<Record<string, string | undefined>> = {},
    body?: string
  ) {
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

  const dialogue: Dialogue = {
    ask,
    say: (method, uri, headers = {}) => void send(method, uri, headers),
    connection,
    ended: Deferred.await(ended)
  }
  return dialogue
})
