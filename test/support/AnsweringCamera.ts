import * as Effect from "effect/Effect"
import { Tcp } from "../../src/ground/Tcp.ts"
import { dial } from "../../src/rtsp/Dialogue.ts"
import type { Asked } from "../../src/rtsp/Message.ts"
import { describe, play, worthHaving } from "../../src/rtsp/Session.ts"
import type { RtspTarget } from "../../src/rtsp/Target.ts"
import { serveRtsp } from "../../testing/RtspServer.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { onTestGround } from "./App.ts"
import { target } from "./NetworkCamera.ts"

/** What is set up and played of a camera that answers so, and at which addresses; or why not. */
export const playedOf = (answerTo: (request: Asked) => string, at: RtspTarget = target) =>
  Effect.gen(function* () {
    const { peers } = yield* TestGround
    const asked: Array<string> = []
    yield* peers.listen(at.address, at.port, (caller) =>
      serveRtsp(caller, {
        asked: (request) =>
          Effect.sync(() => {
            asked.push(`${request.method} ${request.uri} ${request.headers.get("session")?.[0] ?? ""}`.trim())
            caller.say(Buffer.from(answerTo(request)))
          }),
        frames: () => Effect.void,
        untilRead: Effect.void
      })
    )
    const dialogue = yield* dial(yield* Tcp, at, { frame: () => false, frames: () => undefined })
    const offer = yield* describe(dialogue, at)
    const tracks = yield* play(dialogue, offer, yield* worthHaving(offer), () => Effect.void)
    const found = tracks.map(({ channel, media: { encoding, frameRate } }) => ({ channel, encoding, frameRate }))
    return { asked: asked.filter((line) => /^(SETUP|PLAY)/.test(line)), found }
  }).pipe(Effect.scoped, onTestGround)
