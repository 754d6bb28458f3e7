import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
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

/** A page of a real browser, for as long as the scope lives. */
export const openPage = Effect.gen(function* () {
  const profile = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "camera-service-browser-"))),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  )
  const context = yield* Effect.acquireRelease(
    Effect.promise(() => chromium.launchPersistentContext(profile, { executablePath, args, headless: true })),
    (opened) => Effect.promise(() => opened.close())
  )
  return yield* Effect.promise(() => context.newPage())
})

/** Serves a page whose script is the bundle of Page.ts; gives its origin. */
export const servePage = Effect.gen(function* () {
  const script = yield* Effect.promise(async () => {
    const bundle = await rolldown({ input: join(import.meta.dirname, "Page.ts"), platform: "browser" })
    const { output } = await bundle.generate({ format: "esm" })
    return output[0].code
  })
  const server = createServer((request, response) => {
    const isScript = request.url === "/page.js"
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html")
    response.end(isScript ? script : '<!doctype html><title></title><script type="module" src="/page.js"></script>')
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () => Effect.sync(() => server.closeAllConnections())
  )
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
