import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { openPage, servePage } from "../support/browser/Browser.ts"
import { clientOf, startReady } from "../support/Service.ts"

const limit = { timeout: 60_000 }

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
  120_000
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
  120_000
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
    120_000
  )
}

/** Runs in the page: what it sees of a picture and a film, and what it may fetch. */
const look = async ({ film, picture }: { readonly film: string; readonly picture: string }) => {
  const image = new Image()
  image.src = picture
  await image.decode()
  const video = document.createElement("video")
  video.muted = true
  video.src = film
  document.body.append(video)
  await video.play()
  while (video.currentTime < 0.3) {
    await new Promise((resolve) => video.addEventListener("timeupdate", resolve, { once: true }))
  }
  const fetched = await fetch(film, { headers: { range: "bytes=0-99" } }).then(
    async (response) => [response.headers.get("content-range"), (await response.arrayBuffer()).byteLength],
    () => "not allowed"
  )
  return {
    image: [image.naturalWidth, image.naturalHeight],
    video: [video.videoWidth, video.videoHeight],
    fetched
  }
}

it.live(
  "a web page shows a snapshot and plays a recording by their URLs; where its origin is allowed, it fetches them too",
  () =>
    Effect.gen(function* () {
      const [allowed, other] = [yield* servePage, yield* servePage]
      const service = yield* startReady({ settings: { SERVER_ALLOWED_ORIGINS: allowed } })
      const { call, notifications } = yield* clientOf(service, { role: "operator" })
      const { filename } = yield* call.take_snapshot({ device: "camera0" })
      const ended = yield* notifications.pipe(
        Stream.filter((told) => told.method === "recording_status_update" && told.params.status === "STOPPED"),
        Stream.runHead,
        Effect.forkScoped({ startImmediately: true })
      )
      const { filename: recording } = yield* call.start_recording({ device: "camera0", duration: 1 })
      yield* Fiber.join(ended)
      const { download_url: picture } = yield* call.get_download_url({ filename })
      const { download_url: film, file_size } = yield* call.get_recording_info({ filename: recording })
      const page = yield* openPage
      const sees = (origin: string) =>
        Effect.promise(async () => {
          await page.goto(`${origin}/${new URLSearchParams({ url: service.url })}`)
          return page.evaluate(look, { film, picture })
        })
      const seen = { image: [640, 480], video: [640, 480] }
      assert.deepStrictEqual(yield* sees(allowed), { ...seen, fetched: [`bytes 0-99/${file_size}`, 100] })
      assert.deepStrictEqual(yield* sees(other), { ...seen, fetched: "not allowed" })
    }),
  120_000
)
