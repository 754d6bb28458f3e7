import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Connection, Ears, Tcp } from "../ground/Tcp.ts"
import { monotonicNow } from "../ground/Time.ts"
import { makeAnswers } from "./Answers.ts"
import { makeLogin } from "./Login.ts"
import type { Message } from "./Message.ts"
import { type Hearing, Reader } from "./Reader.ts"
import { makeRequests, type Requests } from "./Requests.ts"
import { RtspFailed } from "./RtspFailed.ts"
import type { RtspTarget } from "./Target.ts"
import { whyUnreachable } from "./Unreachable.ts"

/** A machine in the network that is there answers within milliseconds; who waits for the stream hears of one that is not. */
const connectTime = Duration.millis(900)
/** TLS takes a camera's processor a second or two. */
const secureConnectTime = Duration.seconds(3)

/** What is said on one connection, but for the frames that come on it. "It" in what went wrong is the other end. */
export interface Dialogue extends Pick<Requests, "ask" | "say"> {
  readonly connection: Connection
  /** fails when the connection ends, or what comes on it is no RTSP */
  readonly ended: Effect.Effect<never, RtspFailed>
}

/** Connects, for as long as the scope lives. */
export const dial = Effect.fnUntraced(function* (
  tcp: Tcp["Service"],
  target: RtspTarget,
  { frame, frames }: Omit<Hearing, "message">
) {
  const login = makeLogin(target, (yield* Random.nextIntBetween(0, 2 ** 32)).toString(16).padStart(8, "0"))
  yield* Effect.addFinalizer(() => Effect.sync(login.end))
  const answer = makeAnswers(yield* monotonicNow)
  const over = Deferred.makeUnsafe<never, RtspFailed>()
  const ended = Deferred.await(over)
  const end = (why: RtspFailed): void => void Deferred.doneUnsafe(over, Effect.fail(why))
  const { replied, ...requests } = yield* makeRequests(login, (bytes) => connection.send(bytes), ended)

  const message = (heard: Message): void => {
    if (heard._tag === "Reply") return replied(heard)
    if (Deferred.isDoneUnsafe(over)) return
    const why = answer(heard, connection)
    if (why !== undefined) end(why)
  }
  const reader = new Reader({ frame, frames, message })
  const connection: Connection = yield* connect(tcp, target, {
    heard: (bytes) => {
      if (Deferred.isDoneUnsafe(over)) return
      const wrong = reader.push(bytes)
      if (wrong !== undefined) end(new RtspFailed({ kind: "PROTOCOL", detail: `it sent ${wrong}` }))
    },
    ended: (why) => end(new RtspFailed({ kind: "UNREACHABLE", detail: why }))
  })
  return { ...requests, connection, ended } satisfies Dialogue as Dialogue
})

/** Fails where it takes too long, and where the other end shows another certificate than the one that it is known by. */
const connect = Effect.fnUntraced(function* (tcp: Tcp["Service"], target: RtspTarget, ears: Ears) {
  const { fingerprint, isSecure } = target
  const patience = isSecure ? secureConnectTime : connectTime
  const connection = yield* tcp.connect(target, ears).pipe(
    Effect.mapError(({ code }) => new RtspFailed({ kind: "UNREACHABLE", detail: whyUnreachable(code) })),
    Effect.timeoutOrElse({
      duration: patience,
      orElse: () => {
        const detail = `no connection within ${Duration.toSeconds(patience)} s`
        return Effect.fail(new RtspFailed({ kind: "UNREACHABLE", detail }))
      }
    })
  )
  if (fingerprint !== undefined && connection.fingerprint !== fingerprint) {
    const detail = `its certificate is another one than before: SHA-256 ${connection.fingerprint}`
    return yield* new RtspFailed({ kind: "CERTIFICATE_CHANGED", detail })
  }
  return connection
})
