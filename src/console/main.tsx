import { render } from "preact"
import { Console } from "./Console.tsx"
import { ConsoleContext } from "./Context.ts"
import { say } from "./notices.ts"
import { followRoute } from "./routes.ts"
import { Cameras } from "./session/Cameras.ts"
import { followEvents } from "./session/EventLog.ts"
import { Session } from "./session/Session.ts"

const session = new Session(`${location.origin.replace(/^http/, "ws")}/ws`)
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

const root = document.querySelector("#console")
if (root !== null) {
  render(
    <ConsoleContext.Provider value={{ session, cameras }}>
      <Console />
    </ConsoleContext.Provider>,
    root
  )
}
