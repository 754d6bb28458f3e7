import * as Effect from "effect/Effect"
import { createSocket } from "node:dgram"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { probeMatch } from "../OnvifCamera.ts"
import { serveOnvif } from "../PtzServer.ts"

/** The ONVIF camera that tests play, at 192.168.1.64; its clock is a day ahead. FOLDER: where it makes the file `ready` when it is. */
const { FOLDER: folder = "" } = process.env
const address = "192.168.1.64"

const camera = Effect.gen(function* () {
  const user = { name: "admin", password: "canary-of-a-client" }
  const played = yield* serveOnvif({ user, clockAhead: 86_400_000 }, { address, port: 8080 })
  const socket = createSocket({ type: "udp4", reuseAddr: true })
  socket.on("message", (probe, { address: client, port }) => {
    socket.send(probeMatch(probe.toString(), played.address), port, client)
  })
  socket.bind(3702, () => {
    socket.addMembership("239.255.255.250", address)
    writeFileSync(join(folder, "ready"), "")
  })
  return yield* Effect.never
})

await Effect.runPromise(Effect.scoped(camera))
