import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import { TestClock } from "effect/testing"
import type { Camera } from "../../schema/Camera.ts"
import { Connections } from "../../src/rpc/Connections.ts"
import * as Metrics from "../../src/telemetry/Metrics.ts"
import { camera, connect, connectAs, layer } from "./Harness.ts"
import { quietPeer } from "../support/QuietPeer.ts"
import { tokenCredential } from "../support/TokenCredential.ts"

const ping = { jsonrpc: "2.0", id: 1, method: "ping" }
const pong = { jsonrpc: "2.0", id: 1, result: "pong" }
const update = (params: Camera) => ({ jsonrpc: "2.0", method: "camera_status_update", params })
const lost = (count: number) => ({
  method: "event",
  params: { topic: "system.notifications_lost", data: { lost: count } }
})

it.effect("a notification goes to the authenticated clients whom the audience admits, and to nobody else", () =>
  Effect.gen(function* () {
    const { notify } = yield* Connections
    const stranger = yield* connect()
    const viewer = yield* connectAs("viewer")
    const admin = yield* connectAs("admin")
    yield* notify("camera_status_update", camera, ({ role }) => role === "admin")
    yield* notify("camera_status_update", { ...camera, fps: 5 })
    expect(yield* admin.next).toEqual(update(camera))
    for (const client of [viewer, admin]) expect(yield* client.next).toEqual(update({ ...camera, fps: 5 }))
    expect(yield* stranger.call(ping)).toEqual(pong)
  }).pipe(Effect.provide(layer()))
)

it.effect("a client whose token has expired gets no more notifications", () =>
  Effect.gen(function* () {
    const { notify } = yield* Connections
    const client = yield* connectAs("viewer")
    yield* notify("camera_status_update", camera)
    expect(yield* client.next).toEqual(update(camera))
    yield* TestClock.adjust("1 hour")
    yield* notify("camera_status_update", camera)
    expect(yield* client.call(ping)).toEqual(pong)
  }).pipe(Effect.provide(layer()))
)

it.effect("what a client is told comes before the reply that was made after it", () =>
  Effect.gen(function* () {
    const { notify } = yield* Connections
    const client = yield* connectAs("viewer")
    yield* notify("camera_status_update", camera)
    client.send(ping)
    expect(yield* client.next).toEqual(update(camera))
    expect(yield* client.next).toEqual(pong)
  }).pipe(Effect.provide(layer()))
)

/** A notification of a thousand bytes and more, that tells which it is. */
const large = (fps: number): Camera => ({ ...camera, name: "x".repeat(1000), fps })

it.effect("a client that does not read loses notifications, and is told how many as soon as it reads", () =>
  Effect.gen(function* () {
    const { notify } = yield* Connections
    const reader = yield* connectAs("viewer")
    const idler = yield* connectAs("viewer")
    idler.stopReading()
    for (let number = 1; number <= 100; number++) {
      yield* notify("camera_status_update", large(number))
      expect(yield* reader.next).toEqual(update(large(number)))
    }
    idler.readOn()
    let last = 0
    for (let message = yield* idler.next; ; message = yield* idler.next) {
      const { method, params } = message as { readonly method: string; readonly params: { readonly fps: number } }
      if (method === "event") {
        expect(message).toMatchObject(lost(100 - last))
        break
      }
      expect(params.fps).toBe(++last)
    }
    // an eighth of 512 KiB, a little more than a thousand bytes each
    expect(last).toBeGreaterThan(50)
    expect(last).toBeLessThan(60)
    // nobody is told of it twice, and what comes next comes
    yield* notify("camera_status_update", camera)
    for (const client of [idler, reader]) expect(yield* client.next).toEqual(update(camera))
    expect(yield* idler.call(ping)).toEqual(pong)
  }).pipe(Effect.provide(layer({}, { max_unread_kilobytes: 512 })))
)

it.effect("a client that reads, and too slowly, is told of the gap where it is", () =>
  Effect.gen(function* () {
    const connections = yield* Connections
    const sent: Array<string> = []
    let unread = 0
    const connection = connections.add(
      {
        ...quietPeer,
        send: (text) => sent.push(text),
        sendAll: (texts) => sent.push(...texts),
        buffered: () => unread
      },
      { address: "test", cameBy: undefined, isSecure: false }
    )
    const tell = Effect.fnUntraced(function* (fps: number) {
      yield* connections.notify("camera_status_update", { ...camera, fps })
      connections.deliver(connection)
    })
    const session = {
      sessionId: "s",
      userId: "u",
      role: "viewer",
      expiresAt: Infinity,
      credential: tokenCredential
    } as const
    connections.authenticate(connection.id, session)
    yield* tell(1)
    unread = (64 << 10) + 1
    yield* tell(2)
    // it has to catch up in earnest
    unread = 33 << 10
    yield* tell(3)
    unread = 31 << 10
    yield* tell(4)
    expect(sent.map((text): unknown => JSON.parse(text))).toMatchObject([
      { params: { fps: 1 } },
      lost(2),
      { params: { fps: 4 } }
    ])
    expect(yield* Metric.value(Metrics.notificationsDropped)).toMatchObject({ count: 2 })
    connections.remove(connection.id)
    yield* tell(5)
    expect(sent).toHaveLength(3)
  }).pipe(Effect.provide(layer({}, { max_unread_kilobytes: 512 }).pipe(Layer.provideMerge(Layer.fresh(Metrics.layer)))))
)

it.effect("a client whose key was revoked is told nothing more, not even what it lost", () =>
  Effect.gen(function* () {
    const connections = yield* Connections
    const sent: Array<string> = []
    let unread = 1 << 20
    const connection = connections.add(
      {
        ...quietPeer,
        send: (text) => sent.push(text),
        sendAll: (texts) => sent.push(...texts),
        buffered: () => unread
      },
      { address: "test", cameBy: undefined, isSecure: false }
    )
    const revoked = Deferred.makeUnsafe<void>()
    const credential = { kind: "key", id: "1", by: "u", revoked } as const
    connections.authenticate(connection.id, {
      sessionId: "s",
      userId: "u",
      role: "viewer",
      expiresAt: Infinity,
      credential
    })
    yield* connections.notify("camera_status_update", camera)
    connections.deliver(connection)
    yield* Deferred.succeed(revoked, undefined)
    unread = 0
    connections.drained(connection)
    connections.remove(connection.id)
    expect(connection.lost).toBe(1)
    expect(sent).toEqual([])
  }).pipe(Effect.provide(layer({}, { max_unread_kilobytes: 512 })))
)
