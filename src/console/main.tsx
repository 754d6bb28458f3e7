import "./first.ts"
import { openWebSocket, serviceUrl } from "./session/FirstSocket.ts"
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
  render(
    <ConsoleContext.Provider value={{ session, cameras }}>
      <Console />
    </ConsoleContext.Provider>,
    root
  )
}

/** A login by a link is over in a moment: what would be seen until then takes as long to paint. */
const soon = 150
if (session.phase.peek()._tag === "Connecting") {
  const stop = session.isSettled.subscribe((isSettled) => {
    if (isSettled) begin()
  })
  const timer = setTimeout(() => begin(), soon)
  const begin = () => {
    stop()
    clearTimeout(timer)
    show()
  }
} else show()
