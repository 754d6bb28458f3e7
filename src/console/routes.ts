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

const current = signal<Route>({ view: "wall" })
export const route: ReadonlySignal<Route> = current

/**
 * Follows the address; a fragment that holds a token is nobody's view, and is gone before it is in the history. Where that is
 * not taken the view stays.
 */
export const followRoute = (login: (token: string) => boolean): void => {
  const look = () => {
    const token = tokenIn(location.hash)
    if (token !== undefined) {
      const view = login(token) ? "" : addressOf(current.peek())
      history.replaceState(null, "", location.pathname + location.search + view)
    }
    current.value = routeOf(location.hash)
  }
  addEventListener("hashchange", look)
  look()
}
