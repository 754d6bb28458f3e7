import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { Role } from "../../schema/Auth.ts"
import type { ExternalStream } from "../../schema/External.ts"
import { asTimePasses, settle } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { connectAs } from "../rpc/Harness.ts"
import { playCamera, probeMatch } from "../support/OnvifCamera.ts"

export interface Reply {
  readonly id?: number
  readonly method?: string
  readonly params?: { readonly topic: string; readonly data: Readonly<Record<string, unknown>> }
  readonly result: Readonly<Record<string, unknown>> & {
    readonly discovered_streams: ReadonlyArray<ExternalStream>
    readonly skydio_streams: ReadonlyArray<ExternalStream>
    readonly onvif_streams: ReadonlyArray<ExternalStream>
    readonly errors: ReadonlyArray<string>
  }
  readonly error?: { readonly code: number; readonly data: Readonly<Record<string, unknown>> }
}

let id = 0

/** A client that calls while time passes; what it is told meanwhile is kept. */
export const clientAs = Effect.fnUntraced(function* (role: Role, cameras?: ReadonlyArray<string>) {
  const client = yield* connectAs(role, cameras)
  const told: Array<Reply> = []
  const replyTo = Effect.fnUntraced(function* (method: string, params: object) {
    const mine = ++id
    client.send({ jsonrpc: "2.0", id: mine, method, params })
    for (;;) {
      const heard = (yield* client.next) as Reply
      if (heard.id === mine) return heard
      told.push(heard)
    }
  })
  const call = (method: string, params: object = {}) => asTimePasses(replyTo(method, params))
  const discover = (params: object = {}) => call("discover_external_streams", params)
  return { ...client, call, discover, replyTo, told }
})

export const pass = (seconds: number) =>
  Effect.forEach(Array.from({ length: seconds }), () => Effect.andThen(TestClock.adjust("1 second"), settle), {
    discard: true
  })

/** 253 addresses where nobody is, and one where a drone is. */
export const skydio = Effect.gen(function* () {
  const { peers, rtspCameras } = yield* TestGround
  for (let last = 1; last < 255; last++) if (last !== 77) yield* peers.silence(`192.168.42.${last}`)
  yield* rtspCameras.start("192.168.42.77", 5554)
  return yield* rtspCameras.start("192.168.42.77", 6554)
})

export const onvifOnly = { skydio_enabled: false, force_rescan: true }

/** An ONVIF camera that answers who asks all, with its streams. */
export const onvifCamera = Effect.fnUntraced(function* (
  address: string,
  played: Parameters<typeof playCamera>[0] = {}
) {
  const { neighbours } = yield* TestGround
  const camera = playCamera(played)
  yield* neighbours.serve(address, 80, camera.answer)
  yield* neighbours.listen(address, (probe) => [
    { words: probeMatch(probe, "http://10.9.9.9/onvif/device_service"), after: 100 }
  ])
  return camera
})
