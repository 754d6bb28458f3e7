import * as Effect from "effect/Effect"
import type { Role } from "../../schema/Auth.ts"
import { asTimePasses } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { connectAs } from "../rpc/Harness.ts"

type Params = Readonly<Record<string, unknown>>
interface Told {
  readonly id?: number
  readonly method?: string
  readonly params?: Params
  readonly result?: Params
  readonly error?: Params
}

/** A client that keeps all it was told, and may wait for what it has not been told yet. */
export const listeningClient = Effect.fnUntraced(function* (role: Role = "operator", cameras?: ReadonlyArray<string>) {
  const client = yield* connectAs(role, cameras)
  const told: Array<Told> = []
  const until = Effect.fnUntraced(function* (isIt: (message: Told) => boolean) {
    for (;;) {
      const found = told.find(isIt)
      if (found !== undefined) return found
      told.push((yield* asTimePasses(client.next)) as Told)
    }
  })
  let calls = 0
  const ask = Effect.fnUntraced(function* (method: string, params: Params) {
    const id = ++calls
    client.send({ jsonrpc: "2.0", id, method, params })
    return yield* until((message) => message.id === id)
  })
  return {
    closed: client.closed,
    call: (method: string, params: Params) => Effect.map(ask(method, params), ({ result }) => result),
    error: (method: string, params: Params) => Effect.map(ask(method, params), ({ error }) => error),
    /** the params of the first such notification */
    update: (method: string, wanted: Params) =>
      Effect.map(
        until(
          ({ method: name, params = {} }) =>
            name === method && Object.entries(wanted).every(([key, value]) => params[key] === value)
        ),
        ({ params }) => params
      ),
    all: (method: string) => told.filter((message) => message.method === method).map(({ params = {} }) => params)
  }
})

/** A camera is plugged in, recorded, freezes and is given up; what a client is told of it over the network. */
export const frozenCamera = Effect.gen(function* () {
  const { cameras, ffmpeg } = yield* TestGround
  const client = yield* listeningClient()
  yield* cameras.plug({ name: "UVC Camera" })
  const plugged = yield* client.update("camera_status_update", { device: "camera0", status: "CONNECTED" })
  yield* client.call("start_recording", { device: "camera0" })
  yield* ffmpeg.disturb("camera0", { frozen: true })
  const fault = yield* client.update("camera_status_update", { device: "camera0", status: "ERROR" })
  const error = yield* client.update("recording_status_update", { device: "camera0", status: "ERROR" })
  const stopped = yield* client.call("stop_recording", { device: "camera0" })
  yield* client.update("recording_status_update", { device: "camera0", status: "STOPPED" })
  const statuses = client.all("recording_status_update").map(({ status }) => status)
  return { plugged, fault, error, stopped, statuses }
}).pipe(Effect.scoped)
