import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { openPage, servePage } from "../support/browser/Browser.ts"
import { startReady } from "../support/Service.ts"

const limit = { timeout: 30_000 }

it.live(
  "a web page uses the typed client, as Node does",
  () =>
    Effect.gen(function* () {
      const origin = yield* servePage
      const service = yield* startReady({ settings: { SERVER_ALLOWED_ORIGINS: origin } })
      const token = yield* service.token({ role: "operator" })
      const page = yield* openPage
      const query = new URLSearchParams({ url: service.url, token })
      const title = yield* Effect.promise(async () => {
        await page.goto(`${origin}/?${query}`)
        await page.waitForFunction(() => document.title !== "", undefined, limit)
        return page.title()
      })
      assert.deepStrictEqual(JSON.parse(title), { cameras: 2, width: 640, error: "NotFound" })
    }),
  60_000
)

it.live(
  "a web page of another origin is refused, and told what that may be",
  () =>
    Effect.gen(function* () {
      const origin = yield* servePage
      const service = yield* startReady()
      const token = yield* service.token({ role: "operator" })
      const page = yield* openPage
      const title = yield* Effect.promise(async () => {
        await page.goto(`${origin}/?${new URLSearchParams({ url: service.url, token })}`)
        await page.waitForFunction(() => document.title !== "", undefined, limit)
        return page.title()
      })
      assert.match(title, /^FAILED ConnectionLost: No WebSocket can be opened at .*server\.allowed_origins/)
    }),
  60_000
)

for (const protocol of ["webrtc", "hls"] as const) {
  it.live(
    `a browser plays an idle camera over ${protocol}`,
    () =>
      Effect.gen(function* () {
        const service = yield* startReady()
        const token = yield* service.token({ role: "viewer" })
        const page = yield* openPage
        const size = yield* Effect.promise(async () => {
          await page.goto(`http://127.0.0.1:${service.ground.ports[protocol]}/camera0/?token=${token}`)
          // a picture is there: the time alone is set by the page's player, too, before it has loaded anything
          await page.waitForFunction(
            () => {
              const video = document.querySelector("video")
              return video !== null && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && video.currentTime > 0.5
            },
            undefined,
            limit
          )
          return page.evaluate(() => {
            const video = document.querySelector("video")
            return [video?.videoWidth, video?.videoHeight]
          })
        })
        assert.deepStrictEqual(size, [640, 480])
      }),
    60_000
  )
}
