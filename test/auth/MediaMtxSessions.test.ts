import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import type { Session } from "../../schema/Auth.ts"
import { MediaMtxSessions } from "../../src/auth/MediaMtxSessions.ts"
import { Settings } from "../../src/config/Settings.ts"
import { MediaMtxApi, MediaMtxUnavailable } from "../../src/process/MediaMtxApi.ts"
import { testSettings } from "../support/TestSettings.ts"
import { tokenCredential } from "../support/TokenCredential.ts"

/** A MediaMTX with these sessions, which may not answer. */
const bench = Effect.gen(function* () {
  const sessions = new Set<string>()
  const kicks: Array<string> = []
  const state = { answers: true, lists: 0 }
  const unlessSilent = <A>(answer: () => A) =>
    Effect.suspend(() =>
      state.answers ? Effect.succeed(answer()) : Effect.fail(new MediaMtxUnavailable({ detail: "no answer" }))
    )
  const api = Layer.mock(MediaMtxApi, {
    listSessions: (protocol) =>
      unlessSilent(() => {
        if (protocol === "rtsp") state.lists++
        return [...sessions]
      }),
    kickSession: (protocol, id) =>
      unlessSilent(() => {
        kicks.push(`${protocol} ${id}`)
        return sessions.delete(id)
      })
  })
  const built = yield* Layer.build(
    MediaMtxSessions.layer.pipe(Layer.provide([api, Layer.succeed(Settings, testSettings())]))
  )
  return { ...Context.get(built, MediaMtxSessions), sessions, kicks, state }
})

const base = { sessionId: "s", userId: "ann", role: "viewer" } as const
const byToken = (expiresAt: number): Session => ({
  ...base,
  expiresAt,
  credential: tokenCredential
})
const byKey = () => {
  const revoked = Deferred.makeUnsafe<void>()
  const session: Session = { ...base, expiresAt: Infinity, credential: { kind: "key", id: "k", by: "ann", revoked } }
  return { session, revoke: Deferred.succeed(revoked, undefined) }
}

describe("a session at MediaMTX", () => {
  it.effect("is cut off when the token expires that opened it, and not before", () =>
    Effect.gen(function* () {
      const { kicks, opened, sessions } = yield* bench
      sessions.add("a").add("b")
      yield* opened("rtsp", "a", byToken(90_000))
      yield* opened("webrtc", "b", byToken(120_000))
      yield* TestClock.adjust("89 seconds")
      assert.deepStrictEqual(kicks, [])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(kicks, ["rtsp a"])
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(kicks, ["rtsp a", "webrtc b"])
    })
  )

  it.effect("is cut off when the key is revoked that opened it, with all others that it opened", () =>
    Effect.gen(function* () {
      const { kicks, opened, sessions } = yield* bench
      const [one, other] = [byKey(), byKey()]
      sessions.add("a").add("b").add("c")
      yield* opened("rtsp", "a", one.session)
      yield* opened("hls", "b", one.session)
      yield* opened("rtsp", "c", other.session)
      yield* one.revoke
      yield* TestClock.adjust("1 millis")
      assert.sameMembers(kicks, ["rtsp a", "hls b"])
      assert.deepStrictEqual([...sessions], ["c"])
    })
  )

  it.effect("that is not there yet is cut off as soon as it is; one that never comes is not waited for", () =>
    Effect.gen(function* () {
      const { kicks, opened, sessions, state } = yield* bench
      const { revoke, session } = byKey()
      yield* opened("hls", "late", session)
      yield* opened("rtsp", "never", session)
      yield* revoke
      yield* TestClock.adjust("5 seconds")
      sessions.add("late")
      yield* TestClock.adjust("200 millis")
      assert.isFalse(sessions.has("late"))
      yield* TestClock.adjust("20 seconds")
      const before = state.lists
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(state.lists, before)
      // MediaMTX logs an error for each that it is asked for in vain
      assert.deepStrictEqual(kicks, ["hls late"])
    })
  )

  it.effect("is cut off at once, also while another one is waited for", () =>
    Effect.gen(function* () {
      const { kicks, opened, sessions } = yield* bench
      const [one, other] = [byKey(), byKey()]
      yield* opened("rtsp", "never", one.session)
      yield* one.revoke
      yield* TestClock.adjust("1 millis")
      sessions.add("a")
      yield* opened("rtsp", "a", other.session)
      yield* other.revoke
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(kicks, ["rtsp a"])
    })
  )

  it.effect("is cut off later by a MediaMTX that does not answer", () =>
    Effect.gen(function* () {
      const { opened, sessions, state } = yield* bench
      const { revoke, session } = byKey()
      sessions.add("a")
      state.answers = false
      yield* opened("rtsp", "a", session)
      yield* revoke
      yield* TestClock.adjust("10 seconds")
      assert.isTrue(sessions.has("a"))
      state.answers = true
      yield* TestClock.adjust("2 seconds")
      assert.isFalse(sessions.has("a"))
    })
  )

  it.effect("that opened with another token since is cut off with that one", () =>
    Effect.gen(function* () {
      const { kicks, opened, sessions } = yield* bench
      sessions.add("a")
      yield* opened("rtsp", "a", byToken(1000))
      yield* opened("rtsp", "a", byToken(60_000))
      yield* TestClock.adjust("59 seconds")
      assert.deepStrictEqual(kicks, [])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(kicks, ["rtsp a"])
    })
  )

  it.effect("that ended by itself is forgotten when many have come, and nobody looks before", () =>
    Effect.gen(function* () {
      const { kicks, opened, sessions, state } = yield* bench
      const { revoke, session } = byKey()
      for (let i = 0; i < 256; i++) yield* opened("rtsp", `gone ${i}`, session)
      sessions.add("stays")
      yield* opened("rtsp", "stays", session)
      yield* TestClock.adjust("1 minute")
      // too young to be missed
      assert.strictEqual(state.lists, 1)
      for (let i = 0; i < 257; i++) yield* opened("rtsp", `new ${i}`, session)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(state.lists, 1)
      yield* opened("rtsp", "one more", session)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(state.lists, 2)
      yield* revoke
      yield* TestClock.adjust("1 second")
      assert.isFalse(sessions.has("stays"))
      assert.isEmpty(kicks.filter((kick) => kick.includes("gone")))
    })
  )

  it.effect("that ended by itself is forgotten some minutes after many have come, though nobody comes any more", () =>
    Effect.gen(function* () {
      const { kicks, opened, sessions, state } = yield* bench
      const { revoke, session } = byKey()
      sessions.add("stays")
      yield* opened("rtsp", "stays", session)
      for (let i = 0; i < 300; i++) yield* opened("hls", `gone ${i}`, session)
      yield* TestClock.adjust("1 minute")
      const before = state.lists
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(state.lists, before + 1)
      yield* revoke
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(kicks, ["rtsp stays"])
      // of HLS there is nobody left to look for
      assert.strictEqual(state.lists, before + 2)
    })
  )

  it.effect("is one of 5,000 of a user at most, over a protocol that can be cut off", () =>
    Effect.gen(function* () {
      const { opened } = yield* bench
      assert.isFalse(yield* opened("carrier pigeon", "a", byToken(60_000)))
      for (let i = 0; i < 5_000; i++) assert.isTrue(yield* opened("rtsp", String(i), byToken(60_000)))
      assert.isFalse(yield* opened("rtsp", "one more", byToken(60_000)))
      assert.isTrue(yield* opened("rtsp", "7", byToken(60_000)))
      yield* TestClock.adjust("30 seconds")
      assert.isFalse(yield* opened("rtsp", "one more", byToken(60_000)))
      // the others ended by themselves, which was looked at meanwhile
      yield* TestClock.adjust("1 millis")
      assert.isTrue(yield* opened("rtsp", "one more", byToken(60_000)))
    })
  )

  it.effect("is there for other users however many one of them opens, with however many keys", () =>
    Effect.gen(function* () {
      const { opened } = yield* bench
      const by = (userId: string) => ({ ...byToken(60_000), userId })
      const byViewingKey = (id: string): Session => {
        const revoked = Deferred.makeUnsafe<void>()
        const credential = { kind: "viewing key", id, by: "mallory", revoked } as const
        return { ...base, userId: `key ${id}`, expiresAt: 60_000, credential }
      }
      for (let key = 0; key < 20; key++) {
        for (let i = 0; i < 500; i++) yield* opened("rtsp", `flood ${key} ${i}`, byViewingKey(String(key)))
      }
      assert.isFalse(yield* opened("rtsp", "one more", byViewingKey("one more")))
      assert.isFalse(yield* opened("rtsp", "one more", by("mallory")))
      assert.isTrue(yield* opened("rtsp", "good", by("bob")))
    })
  )
})
