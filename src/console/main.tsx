import { render } from "preact"
import { Console } from "./Console.tsx"
import { ConsoleContext } from "./Context.ts"
import { followRoute } from "./routes.ts"
import { Cameras } from "./session/Cameras.ts"
import { followEvents } from "./session/EventLog.ts"
import { Session } from "./session/Session.ts"

const session = new Session(`${location.origin.replace(/^http/, "ws")}/ws`)
const cameras = new Cameras(session)
followEvents(session)
followRoute((token) => session.login(token))

const root = document.querySelector("#console")
if (root !== null) {
  render(
    <ConsoleContext.Provider value={{ session, cameras }}>
      <Console />
    </ConsoleContext.Provider>,
    root
  )
}
