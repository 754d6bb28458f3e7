import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import type { Role } from "../../schema/Auth.ts"
import type { ExternalStream } from "../../schema/External.ts"
import { asTimePasses, settle } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { connectAs } from "../rpc/Harness.ts"
import { dataFolder } from "../support/App.ts"

export const address = "192.168.1.64"

interface Answer {
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly code: number; readonly data: Readonly<Record<string, unknown>> }
}

/** Calls; what is told meanwhile is passed over. */
export const ask = (client: Effect.Success<ReturnType<typeof connectAs>>, method: string, params: object = {}) =>
  Effect.gen(function* () {
    client.send({ jsonrpc: "2.0", id: 1, method, params })
    for (;;) {
      const message = (yield* client.next) as Answer & { readonly id?: number }
      if (message.id === 1) return message
    }
  })

/** A client that calls while time passes. */
export const clientAs = (role: Role, cameras?: ReadonlyArray<string>) =>
  Effect.map(
    connectAs(role, cameras),
    (client) => (method: string, params?: object) => asTimePasses(ask(client, method, params))
  )
export const startCamera = Effect.flatMap(TestGround, ({ rtspCameras }) => rtspCameras.start(address))
type Call = Effect.Success<ReturnType<typeof clientAs>>
export const url = `rtsp://${address}/live`

export const add = (call: Call, stream_url = url, more: object = {}) =>
  call("add_external_stream", { stream_url, stream_name: "Gate", ...more })

export const streamsOf = (call: Call) =>
  Effect.map(
    call("get_external_streams"),
    ({ result }) => result?.["external_streams"] as ReadonlyArray<ExternalStream>
  )

export const fileOf = (name: string) =>
  Effect.map(TestGround, ({ disk }) => new TextDecoder().decode(disk.outside.read(`${dataFolder}/${name}`)))

/** Waits until the stream shows this status; that of an idle camera is looked at every minute. */
export const becomes = Effect.fnUntraced(function* (call: Call, status: string) {
  for (let second = 0; second < 90; second++) {
    const [stream] = yield* streamsOf(call)
    if (stream?.status === status) return
    yield* Effect.andThen(TestClock.adjust("1 second"), settle)
  }
  return yield* Effect.die(new Error(`it did not become ${status}`))
})
