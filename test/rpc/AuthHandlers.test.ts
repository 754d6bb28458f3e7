import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { onFakes } from "../support/App.ts"
import { connect, token } from "../support/RpcVisitor.ts"

describe("authenticate", () => {
  onFakes(
    "says the same of whatever is wrong, ever later after ten times, and lets who is right in at once meanwhile",
    Effect.gen(function* () {
      const guesser = yield* connect()
      for (let i = 0; i < 10; i++) {
        const auth_token = i % 2 === 0 ? `csk_0123456789ab_${String(i).padStart(43, "A")}` : `ann:${i}`
        const reason = i % 2 === 0 ? "the key is not valid" : "the token is not valid"
        const suggestion = "get another token or key from who gave you this one, and call authenticate with it"
        const data = { reason, suggestion }
        assert.deepInclude((yield* guesser("authenticate", { auth_token })).error, { code: -32001, data })
      }
      const late = yield* Effect.forkChild(guesser("authenticate", { auth_token: "x" }), { startImmediately: true })
      yield* TestClock.adjust("249 millis")
      assert.isUndefined(late.pollUnsafe())
      const right = yield* connect(yield* token({}))
      assert.isUndefined((yield* right("get_camera_list")).error)
      yield* TestClock.adjust("1 millis")
      assert.deepInclude((yield* Fiber.join(late)).error, { code: -32001 })
    })
  )

  onFakes(
    "that fails leaves the session as it was; with another credential it takes that one's place",
    Effect.gen(function* () {
      const call = yield* connect(yield* token({ role: "viewer" }))
      assert.strictEqual((yield* call("authenticate", { auth_token: "" })).error?.code, -32001)
      assert.strictEqual((yield* call("authenticate", { auth_token: "x".repeat(8193) })).error?.code, -32001)
      assert.isUndefined((yield* call("get_camera_list")).error)
      assert.strictEqual((yield* call("list_api_keys")).error?.code, -32002)
      yield* call("authenticate", { auth_token: yield* token({ role: "admin" }) })
      assert.isUndefined((yield* call("list_api_keys")).error)
    })
  )
})

describe("a token is refreshed", () => {
  onFakes(
    "with the same user, role and cameras, for as long as it was good for",
    Effect.gen(function* () {
      const first = yield* token({ userId: "bob", role: "viewer", cameras: ["camera1*"] })
      const call = yield* connect(first)
      yield* TestClock.adjust("50 seconds")
      const { result } = yield* call("refresh_token")
      const { auth_token, expires_at } = result as { readonly auth_token: string; readonly expires_at: string }
      assert.match(expires_at, /^1970-01-01T00:01:50/)
      const [, claims = ""] = auth_token.split(".")
      assert.deepStrictEqual(JSON.parse(atob(claims)), {
        ...{ user_id: "bob", role: "viewer", cameras: ["camera1*"] },
        // what the first one opened goes on
        ...{ iat: 50, exp: 110, sid: first.split(".")[2]?.slice(0, 16) }
      })
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* call("get_camera_list")).error?.code, -32001)
      assert.strictEqual((yield* call("refresh_token")).error?.code, -32001)
      assert.deepInclude((yield* call("authenticate", { auth_token })).result, { expires_at, role: "viewer" })
      assert.isUndefined((yield* call("get_camera_list")).error)
    })
  )

  onFakes(
    "but a key is not",
    Effect.gen(function* () {
      const admin = yield* connect(yield* token({}))
      const { result } = yield* admin("create_api_key", { role: "viewer" })
      const call = yield* connect((result as { readonly api_key: string }).api_key)
      assert.deepInclude((yield* call("refresh_token")).error, {
        code: -32020,
        data: {
          state: "an API key",
          allowed_states: ["a token that this service signed"],
          suggestion: "a key needs no refreshing"
        }
      })
    })
  )
})
