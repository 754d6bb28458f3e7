import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { hasFirefox, openFirefox } from "../support/browser/Firefox.ts"
import { clientOf, startReady } from "../support/Service.ts"

if (!hasFirefox)
  console.warn("Firefox is left out: /usr/bin/firefox-esr is not there (scripts/setup --for-tests installs it)")

/** The page's words once a live picture is shown that moves; it may take a while to come. */
const liveWords = `(async () => {
  const pause = () => new Promise((next) => setTimeout(next, 200))
  for (let looks = 0; document.querySelector(".picture.playing") === null && looks < 300; looks++) await pause()
  const video = document.querySelector("video")
  const shown = () => video.getVideoPlaybackQuality().totalVideoFrames
  const before = shown()
  for (let looks = 0; shown() < before + 5 && looks < 150; looks++) await pause()
  return (shown() >= before + 5 ? "moves: " : "stands still: ") + document.querySelector("main").innerText
})()`

/** The words at the player once what was recorded is shown and moves. */
const playedWords = (at: string) => `(async () => {
  location.hash = "#/recordings/camera0/${at}"
  const pause = () => new Promise((next) => setTimeout(next, 100))
  const played = () => document.querySelector(".recorded video")?.currentTime ?? 0
  for (let looks = 0; played() === 0 && looks < 100; looks++) await pause()
  const before = played()
  for (let looks = 0; played() < before + 0.3 && looks < 100; looks++) await pause()
  return (before > 0 && played() >= before + 0.3 ? "plays: " : "stands still: ") + document.querySelector(".transport").innerText
})()`

it.live.skipIf(!hasFirefox)(
  "in Debian's Firefox an operator logs in, sees a camera live over what that browser can play, and plays what was recorded",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 1 })
      const { call } = yield* clientOf(service, { role: "operator" })
      const { start_time } = yield* call.start_recording({ device: "camera0" })
      const page = yield* openFirefox
      yield* page.goto(`${service.files}/#token=${yield* service.token({ role: "operator" })}`)
      assert.match(yield* page.text(liveWords), /^moves: [^]*1 connected[^]*Live/)
      assert.strictEqual(yield* page.text("location.hash"), "")
      yield* call.stop_recording({ device: "camera0" })
      const moment = new Date(Date.parse(start_time) + 500).toISOString()
      assert.match(yield* page.text(playedWords(moment)), /^plays: [^]*camera0/)
    }),
  120_000
)
