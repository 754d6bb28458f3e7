import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { ApiKeyCreated, ApiKeyList } from "../../schema/Auth.ts"
import { onFakes } from "../support/App.ts"
import { connect, type Reply, token } from "../support/RpcVisitor.ts"

const created = ({ result }: Reply) => result as typeof ApiKeyCreated.Type
const listed = ({ result }: Reply) => result as typeof ApiKeyList.Type

describe("API keys over JSON-RPC", () => {
  onFakes(
    "are shown once, listed without their secret, and open what their role may do",
    Effect.gen(function* () {
      const admin = yield* connect(yield* token({ userId: "ann" }))
      const params = { role: "operator", description: "the gate", expires_in_days: 2, cameras: ["camera1*"] }
      const key = created(yield* admin("create_api_key", params))
      assert.deepInclude(key, {
        kind: "api",
        role: "operator",
        description: "the gate",
        cameras: ["camera1*"],
        created_by: "ann",
        status: "ACTIVE"
      })
      const call = yield* connect(key.api_key)
      assert.strictEqual((yield* call("list_api_keys")).error?.code, -32002)
      const authenticated = yield* call("authenticate", { auth_token: key.api_key })
      assert.deepInclude(authenticated.result, { role: "operator", expires_at: key.expires_at })

      const { api_key, ...shown } = key
      const list = yield* admin("list_api_keys")
      assert.deepStrictEqual(listed(list), { keys: [{ ...shown, last_used: shown.created_at }], total: 1 })
      assert.notInclude(JSON.stringify(list), api_key.slice(17))
      yield* admin("revoke_api_key", { key_id: key.key_id })
      assert.deepInclude(listed(yield* admin("list_api_keys")).keys[0], { status: "REVOKED" })
    })
  )

  onFakes(
    "live a year where nothing is said, and are refused with the rule where a parameter breaks it",
    Effect.gen(function* () {
      const admin = yield* connect(yield* token({}))
      const { expires_at } = created(yield* admin("create_api_key", { role: "viewer" }))
      assert.match(expires_at, /^1971-01-01T00:00:00/)
      const wrong: ReadonlyArray<readonly [string, object, string]> = [
        ["create_api_key", { role: "root" }, "role"],
        ["create_api_key", { role: "viewer", expires_in_days: 0 }, "expires_in_days"],
        ["create_api_key", { role: "viewer", expires_in_days: 1.5 }, "expires_in_days"],
        ["create_api_key", { role: "viewer", cameras: [] }, "cameras"],
        ["create_api_key", { role: "viewer", cameras: ["/dev/video0"] }, "cameras[0]"],
        ["create_api_key", { role: "viewer", description: "x".repeat(257) }, "description"],
        ["revoke_api_key", { key_id: "../x" }, "key_id"],
        ["rotate_api_key", {}, "key_id"]
      ]
      for (const [method, params, param] of wrong) {
        assert.deepInclude((yield* admin(method, params)).error, { code: -32602 }, param)
        assert.strictEqual((yield* admin(method, params)).error?.data["param"], param)
      }
      for (const method of ["revoke_api_key", "rotate_api_key"]) {
        const { error } = yield* admin(method, { key_id: "0123456789ab" })
        assert.deepInclude(error, { code: -32010, data: { resource: "api_key", id: "0123456789ab" } })
      }
      assert.strictEqual(listed(yield* admin("list_api_keys")).total, 1)
    })
  )

  onFakes(
    "never see more than who makes them, who handles no key that does",
    Effect.gen(function* () {
      const admin = yield* connect(yield* token({}))
      const limited = yield* connect(yield* token({ cameras: ["camera0", "camera1*"] }))
      const whole = created(yield* admin("create_api_key", { role: "viewer" }))
      for (const cameras of [["*"], ["camera2"], ["camera0", "camera2"]]) {
        const { error } = yield* limited("create_api_key", { role: "admin", cameras })
        assert.deepInclude(error, { code: -32602 })
      }
      const own = created(yield* limited("create_api_key", { role: "admin" }))
      assert.deepStrictEqual(own.cameras, ["camera0", "camera1*"])
      assert.strictEqual((yield* limited("create_api_key", { role: "viewer", cameras: ["camera12"] })).error, undefined)
      assert.strictEqual(listed(yield* limited("list_api_keys")).total, 2)
      assert.strictEqual(listed(yield* admin("list_api_keys")).total, 3)
      for (const method of ["revoke_api_key", "rotate_api_key"]) {
        assert.strictEqual((yield* limited(method, { key_id: whole.key_id })).error?.code, -32010)
      }
      const rotated = created(yield* limited("rotate_api_key", { key_id: own.key_id }))
      assert.deepStrictEqual(rotated.cameras, own.cameras)
      assert.notStrictEqual(rotated.api_key, own.api_key)
      yield* connect(rotated.api_key)
    })
  )
})

describe("a token is refreshed", () => {
  onFakes(
    "with the same user, role and cameras, for as long as it was good for",
    Effect.gen(function* () {
      const call = yield* connect(yield* token({ userId: "bob", role: "viewer", cameras: ["camera1*"] }))
      yield* TestClock.adjust("50 seconds")
      const { result } = yield* call("refresh_token")
      const { auth_token, expires_at } = result as { readonly auth_token: string; readonly expires_at: string }
      assert.match(expires_at, /^1970-01-01T00:01:50/)
      const [, claims = ""] = auth_token.split(".")
      assert.deepStrictEqual(JSON.parse(atob(claims)), {
        ...{ user_id: "bob", role: "viewer", cameras: ["camera1*"] },
        ...{ iat: 50, exp: 110 }
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
      const call = yield* connect(created(yield* admin("create_api_key", { role: "viewer" })).api_key)
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
