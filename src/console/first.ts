/** What a browser begins with while the large script is on its way (scripts/console.ts). */
import { firstAnswer } from "./live/FirstOffer.ts"
import "./session/FirstSocket.ts"

// Effect looks at a stack as it begins, for which Chromium reads all of the large script a second time (main.tsx)
Error.stackTraceLimit = 0

// the large script, which waits for that, keeps a browser busy for 80 ms: meanwhile the connection is made by other threads of it
await firstAnswer()
