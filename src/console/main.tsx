import "./first.ts"
import { openWebSocket, serviceUrl } from "./session/FirstSocket.ts"
import { computed } from "@preact/signals"
import { render } from "preact"
import { Console } from "./Console.tsx"
import { ConsoleContext } from "./Context.ts"
import { say } from "./notices.ts"
import { followTheme } from "./parts/Theme.tsx"
import { followRoute } from "./routes.ts"
import { Cameras } from "./session/Cameras.ts"
import { followEvents } from "./session/EventLog.ts"
import { Session } from "./session/Session.ts"

const session = new Session(serviceUrl, openWebSocket)
const cameras = new Cameras(session)
followEvents(session)
followRoute((token) => {
  const isTaken = session.offer(token)
  if (!isTaken) {
    const advice = "Log out first if you want to, then follow the link again."
    say({ kind: "failed", what: "A link wanted to log you in as somebody else, and was not followed.", advice })
  }
  return isTaken
})

// the first look at what a browser keeps takes it 20 ms: the service is asked by then
followTheme()

const show = () => {
  const root = document.querySelector("#console")
  if (root === null) return
  // what index.html shows until then
  root.replaceChildren()
  render(
    <ConsoleContext.Provider value={{ session, cameras }}>
      <Console />
    </ConsoleContext.Provider>,
    root
  )
}

/** There is a view to show, or something to tell: what would be seen of a login until then takes as long to paint. */
const isThere = computed(() => {
  const { _tag } = session.phase.value
  const isKnown = (cameras.list.value ?? cameras.trouble.value) !== undefined
  return _tag === "Ready" ? session.isSettled.value && isKnown : _tag !== "Connecting"
})
/** A login by a link is over in a moment, until which the page stays as it came; where it is not, that is told. */
const soon = 1000
if (session.phase.peek()._tag === "Connecting") {
  const begin = () => {
    stop()
    clearTimeout(timer)
    show()
  }
  const timer = setTimeout(begin, soon)
  const stop = isThere.subscribe((isSo) => {
    if (isSo) begin()
  })
} else show()

/** What goes wrong from now on is told with its stack, as usual in Chromium (see first.ts). */
Error.stackTraceLimit = 10
