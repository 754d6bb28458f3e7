import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { LiveFailed, refusalOf } from "./Whep.ts"

interface Playing {
  /** fails when it breaks */
  readonly broken: Effect.Effect<never, LiveFailed>
  /** what has to come until there can be a picture, one after the other: each is done when it has come */
  readonly steps: ReadonlyArray<Effect.Effect<void>>
  /** the server's time of the picture that is shown */
  readonly dateNow: () => Date | null
}

/**
 * A live stream over HLS into this element, until the scope closes. Its library is loaded when it is
 * needed: few networks need it.
 */
export const hls = (
  device: string,
  bearer: () => string,
  video: HTMLVideoElement
): Effect.Effect<Playing, LiveFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const { default: Hls } = yield* Effect.tryPromise({
      try: () => import("hls.js/light"),
      catch: () => new LiveFailed({ kind: "absent", reason: "the page's HLS player cannot be loaded" })
    })
    if (!Hls.isSupported()) {
      return yield* new LiveFailed({
        kind: "unplayable",
        reason: "this browser plays no HLS (no Media Source Extensions)"
      })
    }
    const player = yield* Effect.acquireRelease(
      Effect.sync(
        () =>
          new Hls({
            // a worker would be made of text, which the page's policy forbids
            enableWorker: false,
            lowLatencyMode: true,
            backBufferLength: 10,
            xhrSetup: (request) => request.setRequestHeader("authorization", bearer())
          })
      ),
      (made) => Effect.sync(() => made.destroy())
    )
    const broken = Effect.callback<never, LiveFailed>((resume) => {
      player.on(Hls.Events.ERROR, (_, { details, fatal, response }) => {
        if (!fatal) return
        const code = response?.code ?? 0
        resume(
          Effect.fail(
            code >= 400
              ? refusalOf(code, "")
              : new LiveFailed({ kind: details.includes("odec") ? "unplayable" : "absent", reason: `HLS: ${details}` })
          )
        )
      })
    })
    const { BUFFER_APPENDED, LEVEL_LOADED, MANIFEST_LOADED } = Hls.Events
    const steps = [MANIFEST_LOADED, LEVEL_LOADED, BUFFER_APPENDED].map((event) => {
      const come = new Promise<void>((resolve) => player.once(event, () => resolve()))
      return Effect.promise(() => come)
    })
    player.attachMedia(video)
    player.loadSource(`/hls/${device}/index.m3u8`)
    return { broken, steps, dateNow: () => player.playingDate }
  })
