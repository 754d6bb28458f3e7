import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { PublicHttp } from "../../src/http/PublicHttp.ts"
import { asTimePasses, settle } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import type { Question } from "../../testing/Visitors.ts"
import { Visitors } from "../../testing/Visitors.ts"
import { until } from "./Ground.ts"
import { connect, token } from "./RpcVisitor.ts"

interface Said {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  /** `error` of a refusal */
  readonly error:
    | { readonly code: number; readonly message: string; readonly data: Readonly<Record<string, unknown>> }
    | undefined
}

/** One HTTP request to the service on the test ground, and all of its reply. */
export const visit = (question: Question) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { address } = yield* PublicHttp
      const { body, headers, status } = yield* (yield* Visitors).ask(address.port, question)
      const text = yield* Stream.mkString(Stream.decodeText(body))
      const isJson = headers["content-type"] === "application/json"
      return { status, headers, text, error: isJson ? JSON.parse(text).error : undefined } as Said
    })
  )

/** Turns of Node's loop, ten each: credentials are looked at beside, on other threads, and no time passes meanwhile. */
const turns = 500

/** Waits until MediaMTX holds so many, while no time passes. */
export const untilHeld = Effect.fnUntraced(function* (count: number) {
  const { mediaMtx } = yield* TestGround
  while (mediaMtx.held() !== count) yield* settle
})

/** The same for who may be held until a stream is there: time passes once MediaMTX holds them, or says nothing. */
export const come = Effect.fnUntraced(function* (question: Question) {
  const { mediaMtx } = yield* TestGround
  const before = mediaMtx.held()
  const coming = yield* Effect.forkChild(visit(question), { startImmediately: true })
  for (let turn = 0; turn < turns; turn++) {
    if (coming.pollUnsafe() !== undefined || mediaMtx.held() > before) break
    yield* settle
  }
  return yield* asTimePasses(Fiber.join(coming))
})

export const bearer = (credential: string) => ({ authorization: `Bearer ${credential}` })

/** Settings of a box with two cameras. */
export const cameras = { cameras: { synthetic: 2, v4l2: false } }

/** An admin, once both cameras are there. */
export const admin = Effect.gen(function* () {
  const call = yield* connect(yield* token({ timeToLive: Duration.hours(1) }))
  yield* until(
    "two cameras",
    Effect.map(call("get_camera_list"), ({ result }) => (result as { total: number }).total === 2)
  )
  return call
})
