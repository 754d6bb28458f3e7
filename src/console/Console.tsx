import { useEffect, useRef } from "preact/hooks"
import { useConsole } from "./Context.ts"
import { Button } from "./parts/Button.tsx"
import { Details } from "./parts/Details.tsx"
import { Icon, type IconName } from "./parts/Icon.tsx"
import { Notices } from "./parts/Notices.tsx"
import { Theme } from "./parts/Theme.tsx"
import { addressOf, destination, route, type Route } from "./routes.ts"
import { Administration } from "./views/Administration.tsx"
import { Camera } from "./views/Camera.tsx"
import { EventList } from "./views/EventList.tsx"
import { Login } from "./views/Login.tsx"
import { Recordings } from "./views/Recordings.tsx"
import { Snapshots } from "./views/Snapshots.tsx"
import { System } from "./views/System.tsx"
import { Wall } from "./views/Wall.tsx"
import { sentence, serviceWords } from "./words.ts"

interface Place {
  readonly view: Exclude<Route["view"], "camera">
  readonly name: string
  readonly icon: IconName
}
const places: ReadonlyArray<Place> = [
  { view: "wall", name: "Cameras", icon: "grid" },
  { view: "recordings", name: "Recordings", icon: "film" },
  { view: "snapshots", name: "Snapshots", icon: "image" },
  { view: "events", name: "Events", icon: "list" },
  { view: "system", name: "System", icon: "gauge" },
  { view: "administration", name: "Admin", icon: "key" }
]

/** On a wall nobody needs more than the pictures. */
const isKiosk = new URLSearchParams(location.search).has("fullscreen")

export const Console = () => {
  const { session } = useConsole()
  const isKnown = session.isSettled.value
  return (
    <>
      {isKnown ? <Rooms /> : <Login />}
      <Notices />
    </>
  )
}

const Rooms = () => {
  const { session } = useConsole()
  const { view } = destination.value
  const name = places.find((place) => place.view === view)?.name ?? "Camera"
  useEffect(() => void (document.title = `${name} · Camera service`), [name])
  const isFirst = useRef(true)
  // who followed a link that has gone with its view goes on in the next one, and not at the top of the page
  useEffect(() => {
    if (!isFirst.current && document.activeElement === document.body) {
      document.querySelector<HTMLElement>("#content")?.focus({ preventScroll: true })
    }
    isFirst.current = false
  }, [addressOf(route.value)])
  if (isKiosk) {
    return (
      <main class="kiosk">
        <h1 class="unseen">Cameras</h1>
        <Wall isKiosk />
        <Connection />
      </main>
    )
  }
  return (
    <div class="rooms">
      <a class="skip" href="#content" onClick={skip}>
        Skip to the content
      </a>
      <nav aria-label="Views">
        {places
          .filter((place) => place.view !== "administration" || session.has("admin"))
          .map((place) => (
            <a
              key={place.view}
              href={addressOf({ view: place.view })}
              aria-current={place.view === view || (place.view === "wall" && view === "camera") ? "page" : undefined}
            >
              <Icon name={place.icon} />
              <span>{place.name}</span>
            </a>
          ))}
      </nav>
      <header>
        <h1>{name}</h1>
        <Health />
        <span class="account">
          <span class="role">{session.account.value?.role}</span>
          <Theme />
          <Button icon="leave" label="Log out" kind="quiet" onPress={() => session.logout()} />
        </span>
      </header>
      <main id="content" tabIndex={-1} aria-busy={route.value !== destination.value}>
        <Connection />
        <View route={route.value} />
      </main>
    </div>
  )
}

const skip = (event: Event) => {
  event.preventDefault()
  document.querySelector<HTMLElement>("#content")?.focus()
}

const View = ({ route: { view, ...rest } }: { readonly route: Route }) => {
  switch (view) {
    case "wall":
      return <Wall />
    case "camera":
      return "device" in rest ? <Camera key={rest.device} device={rest.device} /> : <Wall />
    case "recordings":
      return <Recordings />
    case "snapshots":
      return <Snapshots />
    case "events":
      return <EventList />
    case "system":
      return <System />
    case "administration":
      return <Administration />
  }
}

/** What is between the page and the service, where that is not as it should be. */
const Connection = () => {
  const { session } = useConsole()
  const phase = session.phase.value
  if (phase._tag === "Lost") {
    return (
      <div class="banner lost" role="status">
        <Icon name="lost" />
        <div>
          <p>The service cannot be reached: what is shown may be old. It is tried again by itself.</p>
          <Details name="Why">
            <p>{sentence(phase.reason)}</p>
          </Details>
        </div>
      </div>
    )
  }
  if (phase._tag === "Expired") {
    return (
      <div class="banner expired" role="alert">
        <Icon name="key" />
        <div>
          <p>Your login is not accepted any more ({phase.reason}). The page stays as it is: log in to go on.</p>
          <Login isAgain />
        </div>
      </div>
    )
  }
  return null
}

/** How the service is, in a word; the reasons beside it where they are known. */
const Health = () => {
  const { cameras, session } = useConsole()
  const health = cameras.health.value
  const phase = session.phase.value._tag
  const words =
    phase === "Lost"
      ? "No connection"
      : phase === "Expired"
        ? "Log in again"
        : phase === "Connecting"
          ? "Connecting…"
          : health === undefined || health.status === "HEALTHY"
            ? "Connected"
            : serviceWords[health.status]
  const kind = words === "Connected" ? "good" : words === "Unhealthy" || words === "No connection" ? "bad" : "fair"
  return (
    <a class={`health ${kind}`} href="#/system" title={health?.reasons?.join("; ")}>
      {words}
    </a>
  )
}
