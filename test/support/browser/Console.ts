import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { Page } from "playwright-core"
import type { Service } from "../Service.ts"
import { openPageWith } from "./Browser.ts"

const axe = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8")

/** What the page did that it must not. */
export interface Trespasses {
  /** of its Content-Security-Policy, and errors that nobody caught */
  readonly errors: Array<string>
  /** requests to another origin */
  readonly strangers: Array<string>
}

/** The console in a browser, watched. */
export const openConsole = Effect.fnUntraced(function* (origin: string, flags: ReadonlyArray<string> = []) {
  const page = yield* openPageWith(flags)
  const trespasses: Trespasses = { errors: [], strangers: [] }
  page.on("console", (message) => {
    if (/Content Security Policy|Trusted/.test(message.text())) trespasses.errors.push(message.text())
  })
  page.on("pageerror", (error) => trespasses.errors.push(String(error.stack)))
  const mayAsk = [origin, origin.replace(/^http/, "ws"), "blob:", "data:", "about:"]
  const asks = (url: string) => {
    if (!mayAsk.some((start) => url.startsWith(start))) trespasses.strangers.push(url)
  }
  page.on("request", (request) => asks(request.url()))
  page.on("websocket", (socket) => asks(socket.url()))
  return { page, trespasses }
})

/** For what hangs: a browser on a busy machine takes its time. */
export const limit = { timeout: 60_000 }

export const promise = <A>(run: () => Promise<A>) => Effect.promise(run)

/** The same, logged in. */
export const openAt = Effect.fnUntraced(function* (service: Service, token: string, query = "") {
  const { page, trespasses } = yield* openConsole(service.files)
  yield* promise(() => page.goto(`${service.files}/${query}#token=${token}`))
  return { page, trespasses }
})

/** To another view, when it is shown and has loaded. */
export const go = (page: Page, view: string) =>
  promise(async () => {
    await page.evaluate(async (to) => {
      const { hash } = location
      const changed = new Promise((done) => addEventListener("hashchange", done, { once: true }))
      location.hash = `#/${to}`
      if (location.hash !== hash) await changed
    }, view)
    const isThere = () => document.querySelector("main[aria-busy=true], .loading") === null
    await page.waitForFunction(isThere, undefined, limit)
  })

/** What axe finds in the page as it is, in light and in dark; what cannot be pressed has to be readable as well (axe passes it over). */
export const findings = (page: Page) =>
  Effect.promise(async () => {
    const found: Array<string> = []
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" })
      if (await page.evaluate(() => !("axe" in window))) await page.evaluate(axe)
      const violations = await page.evaluate(async () => {
        const { axe: tool } = window as unknown as {
          readonly axe: {
            readonly run: () => Promise<{
              readonly violations: ReadonlyArray<{
                readonly id: string
                readonly nodes: ReadonlyArray<{ readonly html: string; readonly failureSummary: string }>
              }>
            }>
          }
        }
        const off = [...document.querySelectorAll<HTMLElement>("[aria-disabled=true], :disabled")].map((element) => {
          const style = element.getAttribute("style") ?? ""
          const { backgroundColor, color, opacity } = getComputedStyle(element)
          const states = ["disabled", "aria-disabled"].filter((name) => element.hasAttribute(name))
          return { element, style, states, looks: { backgroundColor, color, opacity } }
        })
        for (const { element, looks, states } of off) {
          // by its object: a style that is set as text is refused by the page's policy
          Object.assign(element.style, looks)
          for (const name of states) element.removeAttribute(name)
        }
        const { violations: all } = await tool.run()
        for (const { element, states, style } of off) {
          for (const name of states) element.setAttribute(name, name === "disabled" ? "" : "true")
          if (style === "") element.removeAttribute("style")
          else element.style.cssText = style
        }
        return all.map(
          ({ id, nodes }) => `${id}: ${nodes.map(({ failureSummary, html }) => `${html} ${failureSummary}`).join("\n")}`
        )
      })
      found.push(...violations.map((violation) => `${colorScheme}: ${violation}`))
    }
    return found
  })

/** The live picture of this camera is on the screen, and moves. */
export const moves = (page: Page, device: string) =>
  Effect.promise(async () => {
    await page.waitForFunction(
      (label) => {
        const video = document.querySelector<HTMLVideoElement>(`video[aria-label="${label}"]`)
        return video !== null && video.closest(".playing") !== null && video.videoWidth > 0
      },
      `Live picture of ${device}`,
      limit
    )
    await page.waitForFunction(
      async (label) => {
        const video = document.querySelector<HTMLVideoElement>(`video[aria-label="${label}"]`)
        if (video === null) return false
        const look = () => {
          const canvas = document.createElement("canvas")
          canvas.width = 64
          canvas.height = 48
          canvas.getContext("2d")?.drawImage(video, 0, 0, 64, 48)
          return canvas.toDataURL()
        }
        const before = look()
        await new Promise((resolve) => setTimeout(resolve, 300))
        return look() !== before
      },
      `Live picture of ${device}`,
      limit
    )
  })
