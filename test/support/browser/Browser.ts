import * as Effect from "effect/Effect"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { chromium } from "playwright-core"
import { rolldown } from "rolldown"

/** Where Debian's package puts it; scripts/test installs it. */
const executablePath = "/usr/bin/chromium"

/** Quiet: no request of the browser's own leaves this machine. */
const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
  // the camera's address is told as it is, not hidden behind mDNS, which a machine without a network cannot resolve
  "--disable-features=WebRtcHideLocalIpsWithMdns"
]

/** A page of a real browser, for as long as the scope lives; `more`: flags of Chromium. */
export const openPageWith = Effect.fnUntraced(function* (more: ReadonlyArray<string>) {
  const profile = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "camera-service-browser-"))),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  )
  const context = yield* Effect.acquireRelease(
    Effect.promise(() =>
      chromium.launchPersistentContext(profile, { executablePath, args: [...args, ...more], headless: true })
    ),
    (opened) => Effect.promise(() => opened.close())
  )
  // for what hangs
  context.setDefaultTimeout(60_000)
  return yield* Effect.promise(() => context.newPage())
})

export const openPage = openPageWith([])

/** Serves a page with a script of its own; gives its origin. */
const serve = Effect.fnUntraced(function* (page: string, script: string) {
  const server = createServer((request, response) => {
    const isScript = request.url === "/page.js"
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html")
    response.end(isScript ? script : page)
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () => Effect.sync(() => server.closeAllConnections())
  )
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

/** Serves a page whose script is the bundle of Page.ts; gives its origin. */
export const servePage = Effect.gen(function* () {
  const script = yield* Effect.promise(async () => {
    const bundle = await rolldown({ input: join(import.meta.dirname, "Page.ts"), platform: "browser" })
    const { output } = await bundle.generate({ format: "esm" })
    return output[0].code
  })
  return yield* serve('<!doctype html><title></title><script type="module" src="/page.js"></script>', script)
})

/** Serves a page that plays the HLS at `#ADDRESS` with hls.js as its authors ship it; gives its origin. */
export const servePlayer = Effect.suspend(() =>
  serve(
    `<!doctype html><video muted autoplay playsinline></video><script src="/page.js"></script><script>
const player = new Hls()
player.loadSource(decodeURIComponent(location.hash.slice(1)))
player.attachMedia(document.querySelector("video"))
</script>`,
    readFileSync(fileURLToPath(import.meta.resolve("hls.js/dist/hls.min.js")), "utf8")
  )
)
