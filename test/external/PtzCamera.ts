import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import type { Role } from "../../schema/Auth.ts"
import { asTimePasses, settle } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { connectAs } from "../rpc/Harness.ts"
import { playCamera, type PlayedCamera } from "../support/OnvifCamera.ts"

// what Node loads is not waited for by the test's clock
await import("fast-xml-parser")
await crypto.subtle.digest("SHA-1", new Uint8Array())

export const address = "192.168.1.64"
export const device = "camera0"
export const login = { name: "admin", password: "canary-of-ptz" }
const ptz = { p1: "Gate", "tok&2": "Door" }

interface Answer {
  readonly id?: number
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly code: number; readonly data: Readonly<Record<string, unknown>> }
}

/** What the camera was told of its movements, and when: `ContinuousMove`, `Stop`, `GotoPreset`. */
interface Order {
  readonly call: string
  readonly at: number
  readonly body: string
}

/**
 * A camera that can be moved; `delay` holds up its answers to a call. It wants no password as a rule: digests are made in
 * Node's threads, which the test's clock does not wait for.
 */
export const startCamera = Effect.fnUntraced(function* (
  played: PlayedCamera = {},
  delay: (call: string) => Effect.Effect<void> = () => Effect.void
) {
  const { neighbours, rtspCameras } = yield* TestGround
  const { answer, seen } = playCamera({ host: address, ptz, ...played })
  const orders: Array<Order> = []
  yield* neighbours.serve(address, 80, (request) =>
    Effect.gen(function* () {
      const call = /<s:Body><(\w+)/.exec(request.body ?? "")?.[1] ?? ""
      if (["ContinuousMove", "Stop", "GotoPreset"].includes(call)) {
        orders.push({ call, at: yield* Clock.currentTimeMillis, body: request.body ?? "" })
      }
      yield* delay(call)
      return yield* answer(request)
    })
  )
  yield* rtspCameras.start(address, 554)
  return { answer, orders, seen, calls: () => orders.map(({ call }) => call) }
})

/** A client that calls while time passes, in a scope of its own where it is to go before the test's end. */
export const clientAs = Effect.fnUntraced(function* (role: Role) {
  const client = yield* connectAs(role)
  const ask = Effect.fnUntraced(function* (method: string, params: object) {
    client.send({ jsonrpc: "2.0", id: 1, method, params })
    for (;;) {
      const heard = (yield* client.next) as Answer
      if (heard.id === 1) return heard
    }
  })
  return (method: string, params: object = {}) => asTimePasses(ask(method, { device, ...params }))
})
type Call = Effect.Success<ReturnType<typeof clientAs>>

export const add = Effect.fnUntraced(function* (user = "") {
  const stream_url = `http://${user}${address}/onvif/device_service`
  const client = yield* connectAs("operator")
  client.send({ jsonrpc: "2.0", id: 1, method: "add_external_stream", params: { stream_url, stream_name: "Dome" } })
  const added = Effect.repeat(client.next, { until: (message) => (message as Answer).id === 1 })
  assert.deepInclude(((yield* asTimePasses(added)) as Answer).result, { device })
})

export const pass = (millis: number) =>
  Effect.forEach(Array.from({ length: millis / 50 }), () => Effect.andThen(TestClock.adjust("50 millis"), settle), {
    discard: true
  })

export const moves = (call: Call, more: object = {}) => call("ptz_move", { pan: 0.5, ...more })
