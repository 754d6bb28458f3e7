import { expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Session } from "../../schema/Auth.ts"
import { JsonRpcProtocol } from "../../src/rpc/Protocol.ts"
import { settle } from "../../testing/PassingTime.ts"
import { connectAs, layer } from "./Harness.ts"
import { quietPeer } from "../support/QuietPeer.ts"
import { tokenCredential } from "../support/TokenCredential.ts"

const operator: Session = {
  ...{ sessionId: "s", userId: "ann", role: "operator", expiresAt: Infinity },
  credential: tokenCredential
}

const ping = { jsonrpc: "2.0", id: "ping", method: "ping" }
const call = (id: number | string) => ({
  jsonrpc: "2.0",
  id,
  method: "delete_snapshot",
  params: { filename: `${id}.jpg` }
})

/** A service whose calls of `delete_snapshot` keep the event loop for so many milliseconds each. */
const working = (millis: number) => {
  const state = { calls: 0, passed: 0n }
  const handlers = {
    delete_snapshot: ({ filename }: { readonly filename: string }) =>
      Effect.sync(() => {
        state.calls++
        state.passed += BigInt(millis) * 1_000_000n
        return { filename, deleted: true, message: "" }
      })
  }
  /** time passes by the work alone */
  const onItsClock = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.flatMap(Clock.Clock, (clock) =>
      Effect.provideService(effect, Clock.Clock, {
        ...clock,
        currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
        monotonicTimeNanosUnsafe: () => state.passed
      })
    )
  const run = <A, E, R>(effect: Effect.Effect<A, E, R>) => onItsClock(Effect.provide(effect, layer(handlers)))
  return { state, run }
}

it.effect("a client that asks for much at once leaves the others their turn", () => {
  const { run, state } = working(2)
  return run(
    Effect.gen(function* () {
      const hog = yield* connectAs("operator")
      const other = yield* connectAs("viewer")
      for (let id = 0; id < 1000; id++) hog.send(call(id))
      expect(yield* other.call(ping)).toMatchObject({ result: "pong" })
      expect(state.calls).toBeLessThan(10)
      for (let id = 0; id < 1000; id++) expect(yield* hog.next).toMatchObject({ id })
    })
  )
})

it.effect("a batch, too, is worked on in turns, and answered whole and in order", () => {
  const { run, state } = working(2)
  return run(
    Effect.gen(function* () {
      const hogs = yield* Effect.all(Array.from({ length: 20 }, () => connectAs("operator")))
      const other = yield* connectAs("viewer")
      const batch = Array.from({ length: 50 }, (_, id) => call(id))
      for (const hog of hogs) for (let n = 0; n < 3; n++) hog.send(batch)
      expect(yield* other.call(ping)).toMatchObject({ result: "pong" })
      // one of each that came before it, and one of those who wait again in each turn
      expect(state.calls).toBeLessThan(40)
      // those who wait already wait for no newcomer's second call
      expect(yield* other.call(ping)).toMatchObject({ result: "pong" })
      expect(state.calls).toBeLessThan(50)
      for (const hog of hogs) {
        for (let n = 0; n < 3; n++) {
          const replies = (yield* hog.next) as ReadonlyArray<{ readonly id: number }>
          expect(replies.map(({ id }) => id)).toEqual(batch.map(({ id }) => id))
        }
      }
    })
  )
})

it.effect("a user with many connections has no more turns than one with a single one", () => {
  const { run, state } = working(2)
  return run(
    Effect.gen(function* () {
      const hogs = yield* Effect.all(Array.from({ length: 100 }, () => connectAs("operator")))
      const other = yield* connectAs("admin")
      const batch = Array.from({ length: 50 }, (_, id) => call(id))
      for (const hog of hogs) hog.send(batch)
      other.send([ping, ping, ping, ping])
      expect(yield* other.next).toHaveLength(4)
      expect(state.calls).toBeLessThan(25)
    })
  )
})

it.effect("what is wrong with a message is found in turns too, and told in order", () => {
  const { run } = working(10)
  return run(
    Effect.gen(function* () {
      const client = yield* connectAs("operator")
      client.send(call(1))
      client.send("{")
      client.send([call(2), { jsonrpc: "2.0", id: 3, method: "no_such" }, 4])
      client.send(call(5))
      expect(yield* client.next).toMatchObject({ id: 1 })
      expect(yield* client.next).toMatchObject({ id: null, error: { code: -32_700 } })
      expect(yield* client.next).toMatchObject([{ id: 2 }, { id: 3, error: { code: -32_601 } }, { id: null }])
      expect(yield* client.next).toMatchObject({ id: 5 })
    })
  )
})

it.effect("who goes while its calls wait for their turn is asked nothing more", () => {
  const { run, state } = working(10)
  return run(
    Effect.gen(function* () {
      const hog = yield* connectAs("operator")
      const other = yield* connectAs("viewer")
      hog.send(Array.from({ length: 50 }, (_, id) => call(id)))
      hog.leave(1000)
      yield* hog.closed
      const { calls } = state
      for (let n = 0; n < 10; n++) yield* other.call(ping)
      expect(state.calls).toBe(calls)
    })
  )
})

it.effect(
  "as many calls of one user run at once as leave others their turn; its further ones wait, and all are answered",
  () => {
    const gate = Deferred.makeUnsafe<void>()
    let [running, most] = [0, 0]
    const handlers = {
      delete_snapshot: ({ filename }: { readonly filename: string }) =>
        Effect.gen(function* () {
          most = Math.max(most, ++running)
          yield* Deferred.await(gate)
          running--
          return { filename, deleted: true, message: "" }
        })
    }
    return Effect.gen(function* () {
      const hogs = yield* Effect.all(Array.from({ length: 20 }, () => connectAs("operator")))
      const [gone] = [yield* connectAs("operator")]
      const other = yield* connectAs("viewer")
      const batch = Array.from({ length: 50 }, (_, id) => call(id))
      for (const hog of [...hogs, gone]) hog.send(batch)
      expect(yield* other.call(ping)).toMatchObject({ result: "pong" })
      expect(yield* Effect.repeat(Effect.as(Effect.yieldNow, running), { until: (now) => now === 128 })).toBe(128)
      gone.leave(1000)
      yield* gone.closed
      yield* Deferred.succeed(gate, undefined)
      for (const hog of hogs) expect(yield* hog.next).toHaveLength(50)
      expect(most).toBe(128)
      expect(running).toBe(0)
    }).pipe(Effect.provide(layer(handlers)))
  }
)

it.effect("who is cut off has nothing more carried out, also while the connection is still closing", () => {
  const { run, state } = working(2)
  return run(
    Effect.gen(function* () {
      const { connect } = yield* JsonRpcProtocol
      const cut: Array<string> = []
      /** A client that has left so many megabytes unread, and stays. */
      const deaf = (name: string, megabytes: number) => {
        const peer = { ...quietPeer, buffered: () => megabytes << 20, cut: () => void cut.push(name) }
        return connect(peer, {
          address: "192.0.2.1",
          cameBy: undefined,
          isSecure: false,
          login: Effect.succeed(operator)
        })
      }
      const [one, other] = [deaf("one", 70), deaf("other", 60)]
      one.receive(JSON.stringify(ping))
      one.receive(JSON.stringify(Array.from({ length: 50 }, (_, id) => call(id))))
      other.receive(JSON.stringify(ping))
      yield* settle
      for (const client of [one, other]) client.close()
      expect(cut).toEqual(["one"])
      expect(state.calls).toBe(0)
    })
  )
})
