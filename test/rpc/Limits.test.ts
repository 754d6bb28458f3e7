import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { connect, connectAs, layer } from "./Harness.ts"

const maxFrame = 1 << 20
const ping = (padding: number) => {
  const text = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
  return text + " ".repeat(padding - text.length)
}

it.effect("a frame of 1 MiB is taken, one byte more closes the connection with 1009", () =>
  Effect.gen(function* () {
    const client = yield* connectAs("viewer")
    expect(yield* client.call(ping(maxFrame))).toMatchObject({ result: "pong" })
    client.send(ping(maxFrame + 1))
    expect(yield* client.closed).toBe(1009)
  }).pipe(Effect.provide(layer()))
)

it.effect("fragments that are together too long close the connection with 1009", () =>
  Effect.gen(function* () {
    const client = yield* connectAs("viewer")
    client.sendFragments(ping(maxFrame), " ")
    expect(yield* client.closed).toBe(1009)
  }).pipe(Effect.provide(layer()))
)

it.effect("at most 64 calls of a connection run at once; the others wait, and all are answered", () => {
  const started = Queue.unbounded<string>().pipe(Effect.runSync)
  const gate = Deferred.makeUnsafe<void>()
  let running = 0
  let most = 0
  const handlers = {
    get_stream_url: ({ device }: { readonly device: string }) =>
      Effect.gen(function* () {
        most = Math.max(most, ++running)
        yield* Queue.offer(started, device)
        yield* Deferred.await(gate)
        running--
        return yield* Effect.die("enough")
      })
  }
  return Effect.gen(function* () {
    const client = yield* connectAs("viewer")
    const other = yield* connect()
    for (let id = 0; id < 500; id++) {
      client.send({ jsonrpc: "2.0", id, method: "get_stream_url", params: { device: `camera${id}` } })
    }
    yield* Queue.takeN(started, 64)
    // what the other connection asks for afterwards is answered: the 65th call would have started before
    expect(yield* other.call(ping(100))).toMatchObject({ result: "pong" })
    expect(running).toBe(64)
    yield* Deferred.succeed(gate, undefined)
    const ids = new Set<unknown>()
    for (let n = 0; n < 500; n++) ids.add(((yield* client.next) as { readonly id: unknown }).id)
    expect(ids.size).toBe(500)
    expect(most).toBe(64)
  }).pipe(Effect.provide(layer(handlers)))
})

it.effect("large calls that wait for an answer are not read without end", () => {
  const started = Queue.unbounded<void>().pipe(Effect.runSync)
  const gate = Deferred.makeUnsafe<void>()
  let running = 0
  const handlers = {
    delete_snapshot: () =>
      Effect.gen(function* () {
        running++
        yield* Queue.offer(started, undefined)
        yield* Deferred.await(gate)
        return yield* Effect.die("enough")
      })
  }
  return Effect.gen(function* () {
    const client = yield* connectAs("operator")
    const params = { filename: "a.jpg" }
    const padding = " ".repeat(600_000)
    for (let id = 0; id < 10; id++) {
      client.send(JSON.stringify({ jsonrpc: "2.0", id, method: "delete_snapshot", params }) + padding)
    }
    yield* Queue.takeN(started, 2)
    const other = yield* connect()
    expect(yield* other.call(ping(100))).toMatchObject({ result: "pong" })
    expect(running).toBe(2)
    yield* Deferred.succeed(gate, undefined)
    const ids = new Set<unknown>()
    for (let id = 0; id < 10; id++) ids.add(((yield* client.next) as { readonly id: unknown }).id)
    expect(ids.size).toBe(10)
  }).pipe(Effect.provide(layer(handlers)))
})

it.effect("what a client asked for is interrupted when it goes", () => {
  const started = Deferred.makeUnsafe<void>()
  const interrupted = Deferred.makeUnsafe<void>()
  const handlers = {
    get_streams: () =>
      Effect.andThen(Deferred.succeed(started, undefined), Effect.never).pipe(
        Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
      )
  }
  return Effect.gen(function* () {
    const client = yield* connectAs("viewer")
    client.send({ jsonrpc: "2.0", id: 1, method: "get_streams" })
    yield* Deferred.await(started)
    client.leave(1001)
    yield* Deferred.await(interrupted)
  }).pipe(Effect.provide(layer(handlers)))
})

it.effect("what runs when the service ends is interrupted, and the end waits for what it leaves in order", () => {
  const started = Deferred.makeUnsafe<void>()
  const told: Array<string> = []
  const handlers = {
    get_streams: () =>
      Effect.andThen(Deferred.succeed(started, undefined), Effect.never).pipe(
        Effect.onInterrupt(() =>
          Effect.andThen(
            Effect.yieldNow,
            Effect.sync(() => told.push("in order"))
          )
        )
      )
  }
  return Effect.gen(function* () {
    const client = yield* connectAs("viewer")
    client.send({ jsonrpc: "2.0", id: 1, method: "get_streams" })
    yield* Deferred.await(started)
  }).pipe(Effect.provide(layer(handlers)), Effect.andThen(Effect.sync(() => expect(told).toEqual(["in order"]))))
})
