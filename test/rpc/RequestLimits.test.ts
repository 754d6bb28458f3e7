import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import { Settings } from "../../src/config/Settings.ts"
import { noSubscription } from "../../src/events/Subscription.ts"
import type { Connection } from "../../src/rpc/Connection.ts"
import { RequestLimits } from "../../src/rpc/RequestLimits.ts"
import { TokenBucket } from "../../src/rpc/TokenBucket.ts"
import { listening } from "../support/Log.ts"
import { quietPeer } from "../support/QuietPeer.ts"
import { testSettings } from "../support/TestSettings.ts"
import { connect, connectAs, layer } from "./Harness.ts"
import { tokenCredential } from "../support/TokenCredential.ts"

const settings = Layer.succeed(Settings, testSettings({ limits: { user_requests_per_second: 1 } }))

const ping = { jsonrpc: "2.0", id: 1, method: "ping" }
const limited = (retry_after_ms: number) => ({
  error: { code: -32040, message: "Rate Limited", data: { retry_after_ms } }
})
const pong = { result: "pong" }

it.effect("a connection that asks too much is told when to ask again, and may then", () =>
  Effect.gen(function* () {
    const client = yield* connect()
    const other = yield* connect()
    for (let n = 0; n < 10; n++) expect(yield* client.call(ping)).toMatchObject(pong)
    expect(yield* client.call(ping)).toMatchObject(limited(100))
    expect(yield* client.call({ jsonrpc: "2.0", id: 1, method: "nothing" })).toMatchObject(limited(100))
    expect(yield* other.call(ping)).toMatchObject(pong)
    yield* TestClock.adjust("99 millis")
    expect(yield* client.call(ping)).toMatchObject(limited(1))
    yield* TestClock.adjust("1 millis")
    expect(yield* client.call(ping)).toMatchObject(pong)
    expect(yield* client.call(ping)).toMatchObject(limited(100))
  }).pipe(Effect.provide(layer({}, {}, { connection_requests_per_second: 10 })))
)

it.effect("each call of a batch counts; a notification that is too much is left out without a word", () =>
  Effect.gen(function* () {
    const client = yield* connect()
    const replies = yield* client.call([ping, ping, { jsonrpc: "2.0", method: "ping" }, ping])
    expect(replies).toMatchObject([pong, pong, limited(334)])
    client.send({ jsonrpc: "2.0", method: "ping" })
    expect(yield* client.call({ ...ping, id: "a" })).toMatchObject({ id: "a", ...limited(334) })
  }).pipe(Effect.provide(layer({}, {}, { connection_requests_per_second: 3 })))
)

it.effect("the connections of one user share a limit, those of another have their own", () =>
  Effect.gen(function* () {
    const [one, two] = [yield* connectAs("viewer"), yield* connectAs("viewer")]
    const admin = yield* connectAs("admin")
    for (let n = 0; n < 5; n++) for (const client of [one, two]) expect(yield* client.call(ping)).toMatchObject(pong)
    for (const client of [one, two]) expect(yield* client.call(ping)).toMatchObject(limited(100))
    expect(yield* admin.call(ping)).toMatchObject(pong)
  }).pipe(Effect.provide(layer({}, {}, { user_requests_per_second: 10 })))
)

it.effect("who meets a limit stands in the log once in a while, with the setting and where it comes from", () => {
  const { layer: logs, lines } = listening()
  return Effect.gen(function* () {
    const client = yield* connectAs("viewer")
    for (let n = 0; n < 20; n++) yield* client.call(ping)
    expect(lines).toHaveLength(1)
    const setting = "limits.user_requests_per_second"
    expect(lines[0]).toMatchObject({ peer: "127.0.0.1", user: "viewer", at_most: 10, setting })
  }).pipe(Effect.provide(layer({}, {}, { user_requests_per_second: 10 }).pipe(Layer.provideMerge(logs))))
})

it.effect("what is remembered of users is bounded: beyond 10,000 the one that came first is forgotten", () =>
  Effect.gen(function* () {
    const { take } = yield* RequestLimits
    const connectionOf = (userId: string): Connection => ({
      id: 0,
      address: "192.0.2.1",
      peer: quietPeer,
      cameBy: undefined,
      isSecure: false,
      since: 0,
      authority: undefined,
      bucket: new TokenBucket(),
      refused: undefined,
      session: {
        sessionId: "s",
        userId,
        role: "viewer",
        expiresAt: Infinity,
        credential: tokenCredential
      },
      subscription: noSubscription,
      lost: 0
    })
    const askAs = (user: number) => take(connectionOf(`user${user}`)) === undefined
    expect([askAs(0), askAs(0)]).toEqual([true, false])
    for (let user = 1; user < 10_000; user++) expect(askAs(user)).toBe(true)
    expect([askAs(0), askAs(9_999)]).toEqual([false, false])
    expect(askAs(10_000)).toBe(true)
    expect([askAs(9_999), askAs(0)]).toEqual([false, true])
    yield* TestClock.adjust("1 second")
    expect(askAs(9_999)).toBe(true)
  }).pipe(Effect.provide(RequestLimits.layer.pipe(Layer.provide(settings))))
)

it("a bucket gives as many in the long run as it should, a second's worth at first, and two at most after a rest", () => {
  for (const perSecond of [1, 3, 7, 1000, 99_999]) {
    const bucket = new TokenBucket()
    let now = 1e9
    const given = () => {
      let count = 0
      while (bucket.take(() => now, perSecond) === 0) count++
      return count
    }
    expect(given()).toBe(perSecond)
    let later = 0
    for (let turn = 0; turn < 1000; turn++) {
      now += 10
      later += given()
    }
    expect(later).toBeGreaterThanOrEqual(perSecond * 10 - 1)
    expect(later).toBeLessThanOrEqual(perSecond * 10)
    now += 60_000
    expect(given()).toBeLessThanOrEqual(2 * perSecond)
  }
})
