import { type ReadonlySignal, signal } from "@preact/signals"
import { tokenIn } from "./session/LoginLink.ts"

/** What is shown, by the fragment of the page's address: a link to it can be sent to others. */
export type Route =
  | { readonly view: "wall" | "snapshots" | "events" | "system" | "administration" }
  | { readonly view: "camera"; readonly device: string }
  /** at a moment of a camera: epoch milliseconds */
  | { readonly view: "recordings"; readonly device?: string; readonly at?: number }

export const routeOf = (fragment: string): Route => {
  const [, view = "", device = "", at] =
    /^#\/([a-z]*)(?:\/(camera[0-9]{1,9})(?:\/([0-9TZ:.-]{1,30}))?)?$/.exec(fragment) ?? []
  if (view === "camera" && device !== "" && at === undefined) return { view, device }
  if (view === "recordings" && device !== "" && !Number.isNaN(Date.parse(at ?? ""))) {
    return { view, device, at: Date.parse(at ?? "") }
  }
  return isPlain(view) && device === "" ? { view } : { view: "wall" }
}

type PlainView = Exclude<Route["view"], "camera">
const plainViews: ReadonlyArray<string> = [
  "wall",
  "recordings",
  "snapshots",
  "events",
  "system",
  "administration"
] satisfies ReadonlyArray<PlainView>
const isPlain = (view: string): view is PlainView => plainViews.includes(view)

export const addressOf = (route: Route): string => {
  if (route.view === "wall") return "#/"
  if (route.view === "camera") return `#/camera/${route.device}`
  if (route.view === "recordings" && route.device !== undefined && route.at !== undefined) {
    return `#/recordings/${route.device}/${new Date(route.at).toISOString()}`
  }
  return `#/${route.view}`
}

const asked = signal<Route>({ view: "wall" })
const current = signal<Route>(asked.peek())
/** Where the address leads to. */
export const destination: ReadonlySignal<Route> = asked
/** What is shown: that a frame later. Another view takes its time, and who has pressed something sees that first. */
export const route: ReadonlySignal<Route> = current

/**
 * Follows the address; a fragment that holds a token is nobody's view, and is gone before it is in the history. Where that is
 * not taken the view stays.
 */
export const followRoute = (login: (token: string) => boolean): void => {
  const look = () => {
    const token = tokenIn(location.hash)
    if (token !== undefined) {
      const view = login(token) ? "" : addressOf(asked.peek())
      history.replaceState(null, "", location.pathname + location.search + view)
    }
    asked.value = routeOf(location.hash)
  }
  const show = () => void (current.value = asked.peek())
  addEventListener("hashchange", () => {
    look()
    afterPaint(show)
  })
  look()
  show()
}

/** What nobody looks at is not painted. */
const afterPaint = (run: () => void): void => {
  if (document.visibilityState === "visible") requestAnimationFrame(() => setTimeout(run))
  else run()
}
