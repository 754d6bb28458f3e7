import { createContext } from "preact"
import { useContext } from "preact/hooks"
import type { Cameras } from "./session/Cameras.ts"
import type { Session } from "./session/Session.ts"

/** What every view stands on. */
export interface Console {
  readonly session: Session
  readonly cameras: Cameras
}

export const ConsoleContext = createContext<Console | undefined>(undefined)

export const useConsole = (): Console => {
  const found = useContext(ConsoleContext)
  if (found === undefined) throw new Error("a view stands outside of the console")
  return found
}
