import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { layerWebCrypto } from "effect/crypto/SecureRandom"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import type { Session } from "../../schema/Auth.ts"
import { Credentials } from "../../src/auth/Credentials.ts"
import { FailedLogins } from "../../src/auth/FailedLogins.ts"
import { MediaMtxSessions } from "../../src/auth/MediaMtxSessions.ts"
import { Tickets } from "../../src/auth/Tickets.ts"
import { Settings } from "../../src/config/Settings.ts"
import { Devices } from "../../src/device/Devices.ts"
import { Loopback } from "../../src/ground/Loopback.ts"
import { LocalHttp, type LocalReply, type LocalRequest } from "../../src/http/LocalHttp.ts"
import * as MediaMtxAuth from "../../src/http/MediaMtxAuth.ts"
import { MediaMtxApi, MediaMtxUnavailable } from "../../src/process/MediaMtxApi.ts"
import { MediaMtxKey } from "../../src/process/MediaMtxKey.ts"
import { Viewers } from "../../src/stream/Viewers.ts"
import { key } from "../support/Key.ts"
import { testSettings } from "../support/TestSettings.ts"

const ffmpeg = 4711

/** The header that shows these (RFC 7617). */
const basic = (userAndPassword: string): string => `Basic ${btoa(userAndPassword)}`

/** Who shows nothing. */
const nobody = {
  ...{ user: "", password: "", token: "", action: "read", path: "camera0", query: "" },
  ...{ protocol: "rtsp", id: null }
}

/** Whoever shows something else than a ticket, once that is verified: after two seconds, as on a machine that is busy. */
const viewer: Session = {
  sessionId: "s",
  userId: "u",
  role: "viewer",
  expiresAt: Infinity,
  credential: {
    kind: "token",
    lifetime: undefined,
    terms: { signer: "service", id: "00000000", over: Deferred.makeUnsafe() }
  }
}

/**
 * MediaMTX's hook, where session `ours` and connection `begun` are FFmpeg's, `theirs` and `other` somebody else's, and
 * `hidden` comes from an address that nobody here has.
 */
const bench = Effect.fnUntraced(function* (
  mediamtx: { readonly managed?: boolean; readonly auth_secret?: string } = {}
) {
  let handler: (request: LocalRequest) => Effect.Effect<LocalReply> = () => Effect.die("there is no route")
  let answers = true
  const ports = {
    session: new Map([
      ["ours", 40_001],
      ["theirs", 40_002],
      ["hidden", 40_003]
    ]),
    connection: new Map([
      ["begun", 40_001],
      ["other", 40_002]
    ])
  }
  const mocks = Layer.mergeAll(
    Layer.mock(LocalHttp, {
      address: { host: "127.0.0.1", port: 0 },
      route: (_method, _path, given) =>
        Effect.sync(() => {
          handler = given
        })
    }),
    Layer.mock(MediaMtxApi, {
      rtspClient: (by, id) =>
        answers
          ? Effect.succeed(`127.0.0.1:${ports[by].get(id) ?? 0}`)
          : Effect.fail(new MediaMtxUnavailable({ detail: "no answer within 5 s" }))
    }),
    Layer.mock(Loopback, {
      has: (pid, { host, port, to }) => {
        assert.deepEqual({ host, to }, { host: "127.0.0.1", to: 8554 })
        return Effect.succeed(port === 40_003 ? undefined : pid === ffmpeg && port === 40_001)
      }
    }),
    Layer.mock(Credentials, {
      verifyViewer: () => Effect.delay(Effect.succeed(viewer), "2 seconds"),
      mayAskOthers: (text) => text === "of a provider"
    }),
    FailedLogins.layer,
    Layer.mock(MediaMtxSessions, { opened: () => Effect.succeed(true) }),
    Layer.mock(Devices, {
      list: () => [],
      find: () => undefined,
      settled: () => true,
      facts: { follow: () => Effect.void, followFirst: () => Effect.void, tellIn: () => Effect.void }
    }),
    Layer.mock(Viewers, { admit: () => Effect.void }),
    key
  ).pipe(Layer.provideMerge(Layer.succeed(Settings, testSettings({ mediamtx }))))
  const context = yield* Layer.build(
    MediaMtxAuth.layer.pipe(
      Layer.provideMerge(Tickets.layer.pipe(Layer.provide(layerWebCrypto))),
      Layer.provideMerge(mocks)
    )
  )
  const tickets = Context.get(context, Tickets)
  const { asker } = Context.get(context, MediaMtxKey)
  const asking = { accept: "", address: "127.0.0.1", authorization: basic(asker()) }
  return {
    ticket: yield* tickets.issue("camera0", "publish"),
    readTicket: yield* tickets.issue("camera0", "read"),
    silence: () => {
      answers = false
    },
    /** the status for something that is asked so, of somebody at this address */
    asked: (ip: string, authorization = asking.authorization) =>
      Effect.map(
        handler({ ...asking, authorization, body: JSON.stringify({ ...nobody, ip }) }),
        ({ status }) => status
      ),
    asker,
    /** the status for this ticket, shown by this session, or this connection */
    shown: (password: string, id: string | null, action = "publish") => {
      const question = {
        user: "u",
        password,
        token: "",
        action,
        path: "camera0",
        query: "",
        ip: "192.0.2.1",
        protocol: "rtsp",
        id
      }
      return Effect.map(handler({ ...asking, body: JSON.stringify(question) }), ({ status }) => status)
    }
  }
})

describe("a ticket at MediaMTX's hook", () => {
  it.effect("counts over FFmpeg's own connection only, once", () =>
    Effect.gen(function* () {
      const { shown, ticket } = yield* bench()
      const { password } = ticket
      assert.strictEqual(yield* shown(password, "ours"), 401)
      ticket.giveTo(ffmpeg)
      assert.strictEqual(yield* shown(password, "theirs"), 401)
      assert.strictEqual(yield* shown(password, "hidden"), 401)
      assert.strictEqual(yield* shown(password, null), 401)
      assert.strictEqual(yield* shown(password, "ours"), 200)
      assert.strictEqual(yield* shown(password, "ours"), 401)
    })
  )

  it.effect("to read with counts over FFmpeg's own connection, then its session, and for nothing else", () =>
    Effect.gen(function* () {
      const { readTicket, shown } = yield* bench()
      const { password } = readTicket
      assert.strictEqual(yield* shown(password, "begun", "read"), 401)
      readTicket.giveTo(ffmpeg)
      for (const other of ["other", "ours", null]) assert.strictEqual(yield* shown(password, other, "read"), 401)
      assert.strictEqual(yield* shown(password, "begun", "read"), 200)
      for (const other of ["theirs", "begun"]) assert.strictEqual(yield* shown(password, other, "read"), 401)
      assert.strictEqual(yield* shown(password, "ours", "read"), 200)
      assert.strictEqual(yield* shown(password, "ours", "publish"), 401)
    })
  )

  it.effect("does not count while MediaMTX does not tell who shows it", () =>
    Effect.gen(function* () {
      const { shown, silence, ticket } = yield* bench()
      ticket.giveTo(ffmpeg)
      silence()
      assert.strictEqual(yield* shown(ticket.password, "ours"), 401)
    })
  )

  it.effect("has to do alone where the operator's MediaMTX does not see FFmpeg's address", () =>
    Effect.gen(function* () {
      const { shown, ticket } = yield* bench({ managed: false })
      ticket.giveTo(ffmpeg)
      assert.strictEqual(yield* shown(ticket.password, "theirs"), 401)
      assert.strictEqual(yield* shown(ticket.password, "hidden"), 200)
    })
  )
})

describe("MediaMTX's hook", () => {
  it.effect("lets a viewer in however busy the machine is, and waits for no identity provider", () =>
    Effect.gen(function* () {
      const { shown } = yield* bench()
      const answers = (credential: string) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(shown(credential, "theirs", "read"), { startImmediately: true })
          yield* TestClock.adjust("300 millis")
          const isAnswered = fiber.pollUnsafe() !== undefined
          yield* TestClock.adjust("2 seconds")
          return { isAnswered, status: yield* Fiber.join(fiber) }
        })
      assert.deepStrictEqual(yield* answers("of ours"), { isAnswered: false, status: 200 })
      assert.deepStrictEqual(yield* answers("of a provider"), { isAnswered: true, status: 401 })
    })
  )

  it.effect("remembers and logs nothing of who comes from what is no address", () =>
    Effect.gen(function* () {
      const { asked } = yield* bench()
      for (const ip of ["192.0.2.1", "2001:db8::1", "fe80::1%eth0"]) assert.strictEqual(yield* asked(ip), 401)
      for (const ip of ["192.0.2.1\n", "1".repeat(60_000)]) assert.strictEqual(yield* asked(ip), 400)
    })
  )

  it.effect("answers MediaMTX alone, which shows what nobody else was told", () =>
    Effect.gen(function* () {
      const { asked, asker } = yield* bench()
      assert.strictEqual(yield* asked("192.0.2.1"), 401)
      const [user = "", secret = ""] = asker().split(":")
      assert.match(secret, /^[\w-]{32}$/)
      const wrong = [
        "",
        secret,
        `Bearer ${secret}`,
        basic(`${user}:`),
        basic(`${user}:${secret}x`),
        basic(`x:${secret}`)
      ]
      for (const header of wrong) assert.strictEqual(yield* asked("192.0.2.1", header), 403, header)
    })
  )

  it.effect("answers the operator's MediaMTX, and whoever asks only where no secret is set", () =>
    Effect.gen(function* () {
      const open = yield* bench({ managed: false })
      for (const header of ["", basic("mediamtx:x")]) assert.strictEqual(yield* open.asked("192.0.2.1", header), 401)
      const auth_secret = "0123456789-abcdef_0123456789ABCD"
      const { asked } = yield* bench({ managed: false, auth_secret })
      assert.strictEqual(yield* asked("192.0.2.1", basic(`mediamtx:${auth_secret}`)), 401)
      for (const header of ["", basic("mediamtx:")]) assert.strictEqual(yield* asked("192.0.2.1", header), 403)
    })
  )
})
