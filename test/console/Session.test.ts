import { assert, describe, it } from "@effect/vitest"
import type { ReadonlySignal } from "@preact/signals"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Role } from "../../schema/Auth.ts"
import { CameraClient } from "../../schema/client/CameraClient.ts"
import { notices } from "../../src/console/notices.ts"
import { Cameras } from "../../src/console/session/Cameras.ts"
import { Session } from "../../src/console/session/Session.ts"
import { TestService } from "../../testing/TestService.ts"

/** Waits until what is shown is so; gives it. */
const until = <A>(signal: ReadonlySignal<A>, isSo: (value: A) => boolean): Effect.Effect<A> =>
  Effect.callback<A>((resume) => {
    const stop = signal.subscribe((value) => {
      // not in the midst of the change
      if (isSo(value)) queueMicrotask(() => resume(Effect.succeed(value)))
    })
    return Effect.sync(stop)
  })

/** A service, and a page that is connected with it as long as the test goes on. */
const bench = Effect.gen(function* () {
  const service = yield* TestService.make()
  const session = new Session(service.url)
  const cameras = new Cameras(session)
  yield* Effect.addFinalizer(() => Effect.sync(() => session.logout()))
  const login = Effect.fnUntraced(function* (role: Role) {
    session.login(Redacted.value(yield* service.token(role, "10 minutes")))
    yield* until(session.phase, ({ _tag }) => _tag === "Ready")
  })
  const other = Effect.flatMap(service.token("admin", "10 minutes"), (token) =>
    CameraClient.make({ url: service.url, token })
  )
  return { service, session, cameras, login, other }
})

describe("the page's session", () => {
  it.live("asks again where a token is refused, and says why; with another it is ready", () =>
    Effect.gen(function* () {
      const { login, session } = yield* bench
      session.login("not a token")
      const refused = yield* until(session.phase, (phase) => phase._tag === "LoggedOut")
      assert.isNotEmpty(refused._tag === "LoggedOut" ? refused.reason : "")
      yield* login("viewer")
      assert.deepStrictEqual([session.has("viewer"), session.has("operator")], [true, false])
      assert.strictEqual(session.connection.value, 1)
    })
  )

  it.live("takes the token of a link only where nobody is logged in, for it may be anybody's", () =>
    Effect.gen(function* () {
      const { login, other, service, session } = yield* bench
      const strange = Redacted.value(yield* service.token("viewer", "10 minutes"))
      yield* login("operator")
      assert.isFalse(session.offer(strange))
      assert.isTrue(session.has("operator"))
      assert.strictEqual(session.connection.value, 1)
      const { call } = yield* other
      const { api_key, key_id } = yield* call.create_api_key({ role: "viewer" })
      session.login(api_key)
      yield* until(session.connection, (count) => count === 2)
      yield* call.revoke_api_key({ key_id })
      yield* session.verify
      // the page is still somebody's
      yield* until(session.phase, ({ _tag }) => _tag === "Expired")
      assert.isFalse(session.offer(strange))
      session.logout()
      assert.isTrue(session.offer(strange))
      yield* until(session.phase, ({ _tag }) => _tag === "Ready")
    })
  )

  it.live("stays with what it knows when its key is revoked, and goes on with another", () =>
    Effect.gen(function* () {
      const { cameras, login, other, service, session } = yield* bench
      yield* service.plug({ name: "UVC Camera" })
      const { call } = yield* other
      const { api_key, key_id } = yield* call.create_api_key({ role: "viewer" })
      session.login(api_key)
      yield* until(cameras.list, (list) => list?.length === 1)
      yield* call.revoke_api_key({ key_id })
      yield* session.verify
      yield* until(session.phase, ({ _tag }) => _tag === "Expired")
      assert.strictEqual(cameras.list.value?.length, 1)
      yield* login("operator")
      assert.isTrue(session.has("operator"))
    })
  )
})

describe("what the page knows of the cameras", () => {
  it.live("follows them as they are plugged in, fail, and are pulled out", () =>
    Effect.gen(function* () {
      const { cameras, login, other, service } = yield* bench
      yield* login("viewer")
      yield* until(cameras.list, (list) => list?.length === 0)
      const camera = yield* service.plug({ name: "UVC Camera", serial: "A1" })
      yield* until(cameras.list, (list) => list?.[0]?.status === "CONNECTED")
      const { call } = yield* other
      yield* call.start_streaming({ device: camera.device })
      yield* camera.freeze
      yield* service.move("5 seconds")
      yield* until(cameras.list, (list) => list?.[0]?.fault?.kind === "FROZEN")
      yield* camera.unplug
      yield* until(cameras.list, (list) => list?.[0]?.status === "DISCONNECTED")
    })
  )

  it.live("knows a recording that another client has started, also where the page is opened later", () =>
    Effect.gen(function* () {
      const { cameras, login, other, service, session } = yield* bench
      const { device } = yield* service.plug({ name: "UVC Camera" })
      yield* login("viewer")
      const { call } = yield* other
      yield* call.start_recording({ device })
      yield* until(cameras.recording, (all) => all.get(device)?.status === "RECORDING")
      yield* service.move("10 seconds")
      for (const role of ["viewer", "admin"] as const) {
        session.logout()
        assert.strictEqual(cameras.recording.value.size, 0)
        yield* login(role)
        yield* until(cameras.recording, (all) => all.get(device)?.status === "RECORDING")
      }
      yield* call.stop_recording({ device })
      yield* until(cameras.recording, (all) => all.size === 0)
    })
  )

  it.live("forgets a camera in the network that is removed, and knows it again when it is added again", () =>
    Effect.gen(function* () {
      const { cameras, login, other, service } = yield* bench
      const plugged = yield* service.plug({ name: "UVC Camera" })
      yield* login("viewer")
      const { call } = yield* other
      const stream = { stream_url: "rtsp://192.168.1.60/live", stream_name: "Gate" }
      for (let time = 0; time < 2; time++) {
        const { device } = yield* call.add_external_stream(stream)
        yield* until(cameras.list, (list) => list?.some((camera) => camera.device === device) === true)
        yield* call.remove_external_stream({ stream_url: stream.stream_url })
        const left = yield* until(cameras.list, (list) => list?.length === 1)
        assert.deepStrictEqual(left?.[0]?.device, plugged.device)
      }
    })
  )

  it.live("does not know of a recording while there is no connection, and says so where it ended meanwhile", () =>
    Effect.gen(function* () {
      const { other, service } = yield* bench
      const { device } = yield* service.plug({ name: "UVC Camera" })
      const sockets: Array<WebSocket> = []
      let isAway = false
      const session = new Session(service.url, (address) => {
        const socket = new WebSocket(isAway ? "ws://127.0.0.1:1" : address)
        sockets.push(socket)
        return socket
      })
      yield* Effect.addFinalizer(() => Effect.sync(() => session.logout()))
      const { recording } = new Cameras(session)
      session.login(Redacted.value(yield* service.token("operator", "10 minutes")))
      yield* until(session.phase, ({ _tag }) => _tag === "Ready")
      const { call } = yield* other
      yield* call.start_recording({ device })
      yield* until(recording, (all) => all.get(device)?.status === "RECORDING")
      isAway = true
      sockets.forEach((socket) => socket.close())
      yield* until(recording, (all) => all.get(device)?.status === "UNKNOWN")
      yield* call.stop_recording({ device })
      assert.strictEqual(recording.value.get(device)?.status, "UNKNOWN")
      const shown = new Set<string | undefined>()
      const stop = recording.subscribe((all) => void shown.add(all.get(device)?.status))
      isAway = false
      yield* until(recording, (all) => all.size === 0)
      stop()
      assert.deepStrictEqual([...shown], ["UNKNOWN", undefined])
      const [told] = yield* until(notices, (all) => all.length > 0)
      assert.match(told?.what ?? "", new RegExp(`^${device} is not being recorded any more`))
    })
  )
})
