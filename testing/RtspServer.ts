import * as Effect from "effect/Effect"
import { type Asked, headerOf, serialise } from "../src/rtsp/Message.ts"
import { Reader } from "../src/rtsp/Reader.ts"
import type { Caller } from "./MemoryTcp.ts"

/** What an RTSP server hears of a client. */
export interface Client {
  readonly asked: (request: Asked) => Effect.Effect<void>
  /** whole interleaved frames */
  readonly frames: (bytes: Uint8Array) => Effect.Effect<void>
  /** waits as long as nothing is read */
  readonly untilRead: Effect.Effect<void>
}

/** Serves one client until it has gone, or has said what is no RTSP. */
export const serveRtsp = (caller: Caller, { asked, frames, untilRead }: Client): Effect.Effect<void> =>
  Effect.gen(function* () {
    let heard: Array<Effect.Effect<void>> = []
    const reader = new Reader({
      frame: () => true,
      frames: (bytes) => void heard.push(frames(bytes)),
      message: (message) => {
        if (message._tag === "Asked") heard.push(asked(message))
      }
    })
    for (;;) {
      yield* untilRead
      const wrong = reader.push(yield* caller.hear)
      if (wrong !== undefined) return
      const acts = heard
      heard = []
      for (const act of acts) yield* act
    }
  }).pipe(Effect.ignore)

/** Answers a request: `200 OK`, these headers, this body. */
export const answer = (
  caller: Caller,
  { headers: asked }: Asked,
  status: string,
  headers: Readonly<Record<string, string>> = {},
  body?: string
): void => caller.say(serialise(`RTSP/1.0 ${status}`, { CSeq: headerOf(asked, "cseq"), ...headers }, body))
