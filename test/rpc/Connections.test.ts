import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import type { Camera } from "../../schema/Camera.ts"
import type { Peer } from "../../src/ground/Visits.ts"
import { Connections } from "../../src/rpc/Connections.ts"
import { connect, connectAs, layer } from "./Harness.ts"

const camera: Camera = {
  device: "camera0",
  status: "CONNECTED",
  name: "test",
  resolution: "640x480",
  fps: 30,
  streams: { rtsp: "", hls: "", webrtc: "" }
}
const ping = { jsonrpc: "2.0", id: 1, method: "ping" }

it.effect("a notification goes to the authenticated clients whom the audience admits, and to nobody else", () =>
  Effect.gen(function* () {
    const { notify } = yield* Connections
    const stranger = yield* connect()
    const viewer = yield* connectAs("viewer")
    const admin = yield* connectAs("admin")
    expect(yield* notify("camera_status_update", camera, ({ role }) => role === "admin")).toBe(1)
    expect(yield* notify("camera_status_update", { ...camera, fps: 5 })).toBe(2)
    expect(yield* admin.next).toEqual({ jsonrpc: "2.0", method: "camera_status_update", params: camera })
    for (const client of [viewer, admin]) expect(yield* client.next).toMatchObject({ params: { fps: 5 } })
    expect(yield* stranger.call(ping)).toMatchObject({ result: "pong" })
  }).pipe(Effect.provide(layer()))
)

it.effect("a client whose token has expired gets no more notifications", () =>
  Effect.gen(function* () {
    const { notify } = yield* Connections
    yield* connectAs("viewer")
    expect(yield* notify("camera_status_update", camera)).toBe(1)
    yield* TestClock.adjust("1 hour")
    expect(yield* notify("camera_status_update", camera)).toBe(0)
  }).pipe(Effect.provide(layer()))
)

it.effect("a client that is far behind misses notifications, and gets them again once it has caught up", () =>
  Effect.gen(function* () {
    const connections = yield* Connections
    const sent: Array<string> = []
    let unread = 0
    const peer: Peer = {
      address: "test",
      send: (text) => sent.push(text),
      buffered: () => unread,
      pause() {},
      resume() {},
      cut() {},
      limit() {}
    }
    const connection = connections.add(peer)
    const credential = { kind: "token", lifetime: undefined } as const
    connection.session = { sessionId: "s", userId: "u", role: "viewer", expiresAt: Infinity, credential }
    unread = (512 << 10) + 1
    expect(yield* connections.notify("camera_status_update", camera)).toBe(0)
    unread = 0
    expect(yield* connections.notify("camera_status_update", camera)).toBe(1)
    expect(sent).toHaveLength(1)
    connections.remove(connection.id)
    expect(connections.get(connection.id)).toBeUndefined()
    expect(yield* connections.notify("camera_status_update", camera)).toBe(0)
  }).pipe(Effect.provide(Connections.layer))
)
