import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { hasFirefox, openFirefox } from "../support/browser/Firefox.ts"
import { startReady } from "../support/Service.ts"

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

it.live.skipIf(!hasFirefox)(
  "in Debian's Firefox an operator logs in and sees a camera live, over what that browser can play",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 1 })
      const page = yield* openFirefox
      yield* page.goto(`${service.files}/#token=${yield* service.token({ role: "operator" })}`)
      assert.match(yield* page.text(liveWords), /^moves: [^]*1 connected[^]*Live/)
      assert.strictEqual(yield* page.text("location.hash"), "")
    }),
  120_000
)
