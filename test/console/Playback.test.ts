import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { vi } from "vitest"
import { Session } from "../../src/console/session/Session.ts"
import { range } from "../../src/console/timeline/Playback.ts"
import { TestService } from "../../testing/TestService.ts"

/** As a browser does it: what is asked for is of the service that the page is of. `onTheWay`: before it gets there. */
const fetchFrom = (origin: string, onTheWay: (options: RequestInit) => Promise<void> = async () => undefined) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const real = fetch
      vi.stubGlobal("fetch", async (path: string, options: RequestInit) => {
        await onTheWay(options)
        return real(`${origin}${path}`, options)
      })
    }),
    () => Effect.sync(() => vi.unstubAllGlobals())
  )

describe("the bytes of a recording", () => {
  it.live("come also when its URL has been known for longer than it is good", () =>
    Effect.gen(function* () {
      const service = yield* TestService.make()
      yield* fetchFrom(service.files)
      const { device } = yield* service.plug({ name: "UVC Camera" })
      const session = new Session(service.url)
      yield* Effect.addFinalizer(() => Effect.sync(() => session.logout()))
      session.login(Redacted.value(yield* service.token("operator", "1 hour")))
      yield* session.afterDisturbance(session.disturbance.peek())
      yield* session.ask((call) => call.start_recording({ device }))
      yield* service.move("5 seconds")
      yield* session.ask((call) => call.stop_recording({ device }))
      const { files } = yield* session.ask((call) => call.list_recordings({ device }))
      const url = files[0]?.download_url ?? ""
      assert.strictEqual((yield* range(session, url, 0, 15)).byteLength, 16)
      yield* service.move("12 minutes")
      const signedOnly = yield* Effect.promise(() => fetch(new URL(url).pathname + new URL(url).search))
      assert.strictEqual(signedOnly.status, 403)
      assert.strictEqual((yield* range(session, url, 0, 15)).byteLength, 16)
    })
  )

  it.live("come with the new token where the one that they were asked for with has ended on the way", () =>
    Effect.gen(function* () {
      const service = yield* TestService.make()
      const { device } = yield* service.plug({ name: "UVC Camera" })
      const session = new Session(service.url)
      yield* Effect.addFinalizer(() => Effect.sync(() => session.logout()))
      session.login(Redacted.value(yield* service.token("operator", "10 minutes")))
      yield* session.afterDisturbance(session.disturbance.peek())
      yield* session.ask((call) => call.start_recording({ device }))
      yield* service.move("5 seconds")
      yield* session.ask((call) => call.stop_recording({ device }))
      const { files } = yield* session.ask((call) => call.list_recordings({ device }))
      const url = files[0]?.download_url ?? ""
      const next = Redacted.value(yield* service.token("operator", "1 hour"))
      const asked: Array<string | null> = []
      yield* fetchFrom(service.files, async ({ headers }) => {
        asked.push(new Headers(headers).get("authorization"))
        if (asked.length > 1) return
        session.login(next)
        await Effect.runPromise(service.move("11 minutes"))
      })
      const before = session.bearer()
      assert.strictEqual((yield* range(session, url, 0, 15)).byteLength, 16)
      assert.deepStrictEqual(asked, [before, `Bearer ${next}`])
    })
  )

  it.live("are asked for once where the token has ended and there is no other", () =>
    Effect.gen(function* () {
      const service = yield* TestService.make()
      const session = new Session(service.url)
      yield* Effect.addFinalizer(() => Effect.sync(() => session.logout()))
      session.login("not a token")
      let count = 0
      yield* fetchFrom(service.files, async () => void count++)
      const failure = yield* Effect.flip(range(session, `${service.files}/files/recordings/a.mp4?`, 0, 15))
      assert.match(failure.message, /status 401/)
      assert.strictEqual(count, 1)
    })
  )
})
