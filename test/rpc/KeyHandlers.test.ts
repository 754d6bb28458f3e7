import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
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
        assert.strictEqual(error?.code, -32010)
        assert.include(error?.data, { resource: "api_key", id: "0123456789ab" })
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
