import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import type { ApiKeyCreated, ViewingKeyCreated } from "../../schema/Auth.ts"
import { Machine } from "../../src/ground/Machine.ts"
import { MediaMtx } from "../../src/process/MediaMtx.ts"
import { asTimePasses } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import type { Question } from "../../testing/Visitors.ts"
import {
  bringMediaMtx,
  dataFolder,
  disturb,
  onFakes,
  onTestGround,
  publishing,
  runFake,
  takeMediaMtx
} from "../support/App.ts"
import { until } from "../support/Ground.ts"
import { connect, resultOf, token } from "../support/RpcVisitor.ts"
import { admin, bearer, cameras, come, untilHeld, visit } from "../support/StreamVisitor.ts"
import { whepOffer } from "../support/WhepOffer.ts"

const offerType = { "content-type": "application/sdp" }
const candidatesType = { "content-type": "application/trickle-ice-sdpfrag" }

const offer = (target: string, headers: Readonly<Record<string, string>> = {}, more: Partial<Question> = {}) =>
  come({ method: "POST", target, headers: { ...offerType, ...headers }, body: whepOffer, ...more })

const readers = (protocol: string) =>
  Effect.map(TestGround, ({ mediaMtx }) => mediaMtx.readers().filter((reader) => reader.protocol === protocol))

describe("WHEP on the service's own port", () => {
  onFakes(
    "holds an offer until the idle camera's stream is there, and has the session at an address of its own",
    Effect.gen(function* () {
      yield* admin
      const shown = yield* token({ role: "viewer" })
      assert.lengthOf(yield* publishing, 0)
      const opened = yield* offer("/whep/camera0", bearer(shown))
      assert.strictEqual(opened.status, 201, opened.text)
      assert.match(opened.text, /^v=0/)
      assert.strictEqual(opened.headers["content-type"], "application/sdp")
      assert.include(opened.headers["link"], "ice-server")
      assert.strictEqual(opened.headers["etag"], "*")
      assert.lengthOf(yield* publishing, 1)
      const session = opened.headers["location"] ?? ""
      assert.match(session, /^\/whep\/camera0\/[0-9a-f-]{36}$/)
      assert.notInclude(JSON.stringify(opened), shown)
      const patch = { method: "PATCH", target: session, headers: { ...candidatesType, ...bearer(shown) } }
      assert.strictEqual((yield* visit({ ...patch, body: "a=candidate" })).status, 204)
      // a player that came with its token in the URL has none to show now
      assert.strictEqual((yield* visit({ ...patch, headers: candidatesType, body: "a=candidate" })).status, 204)
      assert.strictEqual((yield* visit({ ...patch, headers: {}, body: "a=candidate" })).status, 415)
      assert.strictEqual((yield* visit({ method: "DELETE", target: session })).status, 200)
      assert.lengthOf(yield* readers("webrtc"), 0)
      assert.strictEqual((yield* visit({ method: "DELETE", target: session })).status, 404)
    }),
    cameras
  )

  onFakes(
    "lets in whoever may see the camera, with whatever they may show, and says why it lets nobody else in",
    Effect.gen(function* () {
      const call = yield* admin
      const key = resultOf<typeof ApiKeyCreated.Type>(yield* call("create_api_key", { role: "viewer" }))
      const viewing = resultOf<typeof ViewingKeyCreated.Type>(
        yield* call("create_viewing_key", { device: "camera0" })
      ).viewing_key
      const signed = new URL(
        resultOf<{ signed_urls: { webrtc: string } }>(
          yield* call("get_stream_url", { device: "camera0", signed: true })
        ).signed_urls.webrtc
      ).searchParams.get("token")
      const scoped = yield* token({ role: "viewer", cameras: ["camera1"] })
      const viewer = yield* token({ role: "viewer" })

      for (const [target, headers] of [
        ["/whep/camera0", bearer(viewer)],
        ["/whep/camera0", { "x-api-key": key.api_key }],
        ["/whep/camera0", bearer(viewing)],
        [`/whep/camera0?token=${viewing}`, {}],
        [`/whep/camera0?token=${signed}`, {}],
        ["/whep/camera1", bearer(scoped)]
      ] as const) {
        assert.strictEqual((yield* offer(target, headers)).status, 201, target)
      }

      const none = yield* offer("/whep/camera0")
      assert.strictEqual(none.status, 401)
      assert.strictEqual(none.headers["www-authenticate"], "Bearer")
      assert.deepInclude(none.error, { code: -32001, message: "Auth Failed" })
      assert.deepInclude(none.error?.data, { reason: "a token or a key is needed" })
      assert.match(String(none.error?.data["suggestion"]), /Authorization: Bearer.*get_stream_url/)

      const refused = [
        ["/whep/camera0", bearer("wrong"), 401],
        ["/whep/camera0?token=wrong", {}, 403],
        ["/whep/camera0", bearer(scoped), 404],
        ["/whep/camera1", bearer(viewing), 404],
        [`/whep/camera1?token=${signed}`, {}, 404],
        ["/whep/camera9", bearer(viewer), 404],
        ["/whep/..%2fcamera0", bearer(viewer), 404],
        ["/whep/camera0/../camera1", bearer(viewer), 404],
        ["/whep/", bearer(viewer), 404]
      ] as const
      for (const [target, headers, status] of refused) {
        const said = yield* offer(target, headers)
        assert.strictEqual(said.status, status, target)
        assert.isString(said.error?.data["suggestion"], target)
      }
      resultOf(yield* call("revoke_api_key", { key_id: key.key_id }))
      assert.strictEqual((yield* offer("/whep/camera0", bearer(key.api_key))).status, 401)
    }),
    cameras
  )

  onFakes(
    "ends the session with the key that opened it",
    Effect.gen(function* () {
      const call = yield* admin
      const key = resultOf<typeof ApiKeyCreated.Type>(yield* call("create_api_key", { role: "viewer" }))
      assert.strictEqual((yield* offer("/whep/camera0", bearer(key.api_key))).status, 201)
      assert.lengthOf(yield* readers("webrtc"), 1)
      resultOf(yield* call("revoke_api_key", { key_id: key.key_id }))
      yield* until(
        "it is kicked",
        Effect.map(readers("webrtc"), (left) => left.length === 0)
      )
    }),
    cameras
  )

  onFakes(
    "goes on for who renews the token that opened the session, and ends with the last of them",
    Effect.gen(function* () {
      yield* admin
      const shown = yield* token({ role: "viewer" })
      const unrelated = yield* token({ role: "viewer", cameras: ["camera*"] })
      for (const credential of [shown, unrelated]) {
        assert.strictEqual((yield* offer("/whep/camera0", bearer(credential))).status, 201)
      }
      const untilLeft = (count: number) =>
        until(
          `${count} are left`,
          Effect.map(readers("webrtc"), (left) => left.length === count)
        )
      const call = yield* connect(shown)
      const renew = Effect.gen(function* () {
        const { auth_token } = resultOf<{ readonly auth_token: string }>(yield* call("refresh_token"))
        resultOf(yield* call("authenticate", { auth_token }))
      })
      yield* TestClock.adjust("50 seconds")
      yield* renew
      assert.lengthOf(yield* readers("webrtc"), 2)
      yield* TestClock.adjust("11 seconds")
      yield* untilLeft(1)
      yield* TestClock.adjust("39 seconds")
      yield* renew
      yield* TestClock.adjust("59 seconds")
      assert.lengthOf(yield* readers("webrtc"), 1)
      yield* TestClock.adjust("1 second")
      yield* untilLeft(0)
    }),
    cameras
  )

  onFakes(
    "says what is wrong with an offer, and takes no other method",
    Effect.gen(function* () {
      yield* admin
      const shown = bearer(yield* token({ role: "viewer" }))
      const status = (more: Partial<Question>, target = "/whep/camera0") =>
        Effect.map(offer(target, shown, more), (said) => said.status)
      assert.strictEqual(yield* status({ headers: { ...shown, "content-type": "text/plain" } }), 415)
      assert.strictEqual(yield* status({ body: "hello" }), 400)
      assert.strictEqual(yield* status({ body: "v=0\r\nno media" }), 400)
      assert.strictEqual(yield* status({ body: `v=0${"a".repeat(65_536)}` }), 413)
      for (const method of ["GET", "PUT", "PATCH", "DELETE"]) assert.strictEqual(yield* status({ method }), 405, method)
      const asked = yield* visit({ method: "OPTIONS", target: "/whep/camera0" })
      assert.strictEqual(asked.status, 204)
      assert.strictEqual(asked.headers["accept-post"], "application/sdp")
      const session = "/whep/camera0/00000000-0000-4000-8000-0000000000ff"
      assert.strictEqual(yield* status({ method: "POST" }, session), 405)
      assert.strictEqual(yield* status({ method: "DELETE" }, `${session}0`), 404)
    }),
    cameras
  )

  onFakes(
    "blames the camera, and not the caller, where its stream does not come, and asks to come again",
    Effect.gen(function* () {
      yield* admin
      yield* disturb({ failStarts: 99 })
      const failed = yield* offer("/whep/camera0", bearer(yield* token({ role: "viewer" })))
      assert.strictEqual(failed.status, 503)
      assert.strictEqual(failed.headers["retry-after"], "1")
      assert.deepInclude(failed.error, { code: -32050 })
      assert.deepInclude(failed.error?.data, { dependency: "camera" }, failed.text)
    }),
    { ...cameras, streams: { start_timeout_seconds: 2 } }
  )

  onFakes(
    "says within a second that MediaMTX is away, also to who waits already",
    Effect.gen(function* () {
      yield* admin
      const shown = bearer(yield* token({ role: "viewer", timeToLive: Duration.hours(1) }))
      yield* disturb({ neverReady: true })
      const waiting = yield* Effect.forkChild(
        visit({ method: "POST", target: "/whep/camera0", headers: { ...offerType, ...shown }, body: whepOffer }),
        { startImmediately: true }
      )
      yield* untilHeld(1)
      yield* takeMediaMtx
      const early = yield* asTimePasses(Fiber.join(waiting))
      const late = yield* offer("/whep/camera0", shown)
      for (const { error, headers, status } of [early, late]) {
        assert.strictEqual(status, 503)
        assert.strictEqual(headers["retry-after"], "1")
        assert.deepInclude(error?.data, { dependency: "mediamtx" })
      }
      yield* bringMediaMtx
      yield* disturb({ neverReady: false })
      yield* until(
        "it is back",
        Effect.map(offer("/whep/camera0", shown), ({ status }) => status === 201)
      )
    }),
    cameras
  )

  it.effect("lets in, and goes on, while MediaMTX has too much to do to answer the service itself", () =>
    runFake(
      dataFolder,
      Effect.gen(function* () {
        yield* admin
        const shown = bearer(yield* token({ role: "viewer", timeToLive: Duration.hours(1) }))
        assert.strictEqual((yield* offer("/whep/camera0", shown)).status, 201)
        const { mediaMtx } = yield* TestGround
        const { state } = yield* MediaMtx
        yield* mediaMtx.disturb({ hangs: true })
        yield* until(
          "it is known to work, and not to answer",
          Effect.map(SubscriptionRef.get(state), ({ silence }) => silence === "working")
        )
        const late = yield* offer("/whep/camera0", shown)
        assert.strictEqual(late.status, 201, late.text)
      }),
      cameras
    ).pipe(
      Effect.updateService(Machine, (machine) => ({ ...machine, works: () => Effect.succeed(true) })),
      onTestGround
    )
  )
})
