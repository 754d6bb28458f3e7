import { assert, describe } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Rpc from "effect/rpc/Rpc"
import * as TestClock from "effect/testing/TestClock"
import { RequiredRole, roleIncludes, roles } from "../../schema/Auth.ts"
import { CameraRpcs } from "../../schema/CameraRpcs.ts"
import { ApiKeys } from "../../src/auth/ApiKeys.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { indexed } from "../storage/Workbench.ts"
import { onFakes } from "../support/App.ts"
import { until } from "../support/Ground.ts"
import { connect, token } from "../support/RpcVisitor.ts"

/** Every method there is, from the contract: one that is added later is tried here by itself. */
const methods = Array.from(CameraRpcs.requests.values(), (rpc) => {
  const { payloadSchema } = rpc as unknown as Rpc.AnyWithProps
  return {
    method: rpc._tag as string,
    role: Context.get(rpc.annotations, RequiredRole),
    payload: payloadSchema as Schema.Codec<unknown, Readonly<Record<string, unknown>>> &
      Schema.Struct<Schema.Struct.Fields>
  }
})
const secured = methods.flatMap(({ role, ...one }) => (role === undefined ? [] : [{ ...one, role }]))

interface JsonSchema {
  readonly type?: string
  readonly enum?: ReadonlyArray<unknown>
  readonly anyOf?: ReadonlyArray<JsonSchema>
  readonly minimum?: number
  readonly allOf?: ReadonlyArray<JsonSchema>
}

/** Values for what a method cannot do without, as far as their types tell. */
const exampleOf = (payload: Schema.Top): Record<string, unknown> => {
  const { properties = {}, required = [] } = Schema.toJsonSchemaDocument(payload).schema as {
    readonly properties?: Readonly<Record<string, JsonSchema>>
    readonly required?: ReadonlyArray<string>
  }
  const valueOf = ({ allOf = [], anyOf: [first] = [], enum: [one] = [], minimum, type }: JsonSchema): unknown => {
    if (first !== undefined) return valueOf(first)
    if (one !== undefined) return one
    if (type === "integer" || type === "number") return minimum ?? allOf.find((rule) => rule.minimum)?.minimum ?? 1
    return { array: [], boolean: false, object: {} }[type ?? ""] ?? "a"
  }
  return Object.fromEntries(required.map((name) => [name, valueOf(properties[name] ?? {})]))
}

/** Params of no method: what is allowed does nothing. */
const nonsense = { of_no_method: 1 }

const cameras = { cameras: { synthetic: 2, v4l2: false } }

/** To whom had a credential that is over. */
const suggestion = "call authenticate with a new one"

describe("rights, for every method", () => {
  onFakes(
    "who has not logged in gets nothing but the open ones",
    Effect.gen(function* () {
      const call = yield* connect()
      assert.deepStrictEqual(
        methods.filter(({ role }) => role === undefined).map(({ method }) => method),
        ["ping", "authenticate"]
      )
      for (const { method } of secured) {
        for (const params of [{}, nonsense, [], { device: "camera0", filename: "a.mp4" }]) {
          assert.deepInclude((yield* call(method, params)).error, {
            code: -32001,
            data: {
              reason: "authenticate first",
              suggestion: "call authenticate with a token or a key, or send it as a Bearer token when connecting"
            }
          })
        }
      }
    })
  )

  for (const have of roles) {
    for (const kind of ["token", "key"] as const) {
      onFakes(
        `${have}, with a ${kind}: what is above the role is refused, with both roles named; nothing else is`,
        Effect.gen(function* () {
          const keys = yield* ApiKeys
          const made = yield* keys.create({ kind: "api", role: have, createdBy: "ann", expiresAt: 60_000 })
          const call = yield* connect(kind === "token" ? yield* token({ role: have }) : Redacted.value(made.secret))
          for (const { method, role } of secured) {
            const { error } = yield* call(method, nonsense)
            if (roleIncludes(have, role)) assert.strictEqual(error?.code, -32602, method)
            else {
              assert.strictEqual(error?.code, -32002, method)
              assert.include(error?.data, { required_role: role, have_role: have }, method)
            }
          }
        })
      )
    }
  }

  onFakes(
    "a token or a key that has expired ends every one of them",
    Effect.gen(function* () {
      const keys = yield* ApiKeys
      const { secret } = yield* keys.create({ kind: "api", role: "admin", createdBy: "ann", expiresAt: 60_000 })
      const byToken = yield* connect(yield* token({}))
      const byKey = yield* connect(Redacted.value(secret))
      yield* TestClock.adjust("60 seconds")
      for (const { method } of secured) {
        assert.deepInclude(
          (yield* byToken(method)).error,
          { code: -32001, data: { reason: "the token has expired", suggestion } },
          method
        )
        assert.deepInclude(
          (yield* byKey(method)).error,
          { code: -32001, data: { reason: "the key has expired", suggestion } },
          method
        )
      }
    })
  )

  onFakes(
    "a key that was revoked ends every one of them, on the connection that it opened",
    Effect.gen(function* () {
      const keys = yield* ApiKeys
      const { key, secret } = yield* keys.create({ kind: "api", role: "admin", createdBy: "ann", expiresAt: 60_000 })
      const call = yield* connect(Redacted.value(secret))
      const admin = yield* connect(yield* token({}))
      assert.deepInclude((yield* admin("revoke_api_key", { key_id: key.id })).result, { status: "REVOKED" })
      for (const { method } of secured) {
        assert.deepInclude(
          (yield* call(method)).error,
          { code: -32001, data: { reason: "the key was revoked", suggestion } },
          method
        )
      }
      assert.deepInclude(yield* call("ping"), { result: "pong" })
      const { error } = yield* call("authenticate", { auth_token: Redacted.value(secret) })
      assert.strictEqual(error?.code, -32001)
      assert.include(error?.data, { reason: "the key was revoked" })
    })
  )

  onFakes(
    "a camera that one may not see is not there, by name and by glob, whatever is asked of it",
    Effect.gen(function* () {
      const index = yield* FileIndex
      const all = yield* connect(yield* token({}))
      yield* until(
        "two cameras",
        Effect.map(all("get_camera_list"), ({ result }) => (result as { total: number }).total === 2)
      )
      yield* index.put(indexed({ filename: "zero.mp4", device: "camera0" }))
      yield* index.put(indexed({ kind: "snapshot", filename: "zero.mp4", device: "camera0" }))
      let tried = 0
      for (const scope of [["camera1"], ["camera1*", "camera2?"], []]) {
        const call = yield* connect(yield* token({ cameras: scope }))
        for (const { method, payload } of secured) {
          const names = Object.keys(payload.fields)
          if (!names.includes("device") && !names.includes("filename")) continue
          const params = exampleOf(payload)
          if (names.includes("from") && names.includes("device"))
            Object.assign(params, { from: "2026-01-01T00:00Z", to: "2026-01-02T00:00Z" })
          if (names.includes("device")) params["device"] = "camera0"
          else params["filename"] = "zero.mp4"
          const { error, result } = yield* call(method, params)
          tried++
          if (method.startsWith("list_")) assert.deepInclude(result, { total: 0, files: [] }, method)
          else {
            assert.strictEqual(error?.code, -32010, `${method} ${JSON.stringify(params)}`)
            assert.include(["camera0", "zero.mp4"], error?.data["id"], method)
          }
        }
        assert.deepInclude((yield* call("get_camera_list")).result, { total: scope.length === 0 ? 0 : 1 })
        assert.deepInclude((yield* call("list_recordings")).result, { total: 0 })
      }
      assert.isAtLeast(tried, 45)
    }),
    cameras
  )
})
