import { assert, describe, it } from "@effect/vitest"
import { layerWebCrypto } from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import { decodeJwt } from "jose/jwt/decode"
import { secondsIn, token } from "../../src/cli/Token.ts"
import { Threads } from "../../src/ground/Threads.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"

const options = { role: "viewer", user: "ann", cameras: undefined, ttl: "12h" }
const from = (environment: Readonly<Record<string, string>>) => ({ file: undefined, environment })

describe("a token", () => {
  it.effect("lives for a time that is more than none, and is written with its unit", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* secondsIn("90s", "--ttl"), 90)
      assert.include((yield* Effect.flip(secondsIn("0s", "--ttl"))).message, "--ttl 0s: must be more than 0")
      assert.include((yield* Effect.flip(secondsIn("9", "--ttl"))).message, "must be a number and s, m, h or d")
    })
  )

  it.effect("is signed with the secret of the data folder, which is told", () =>
    Effect.gen(function* () {
      const { outside } = yield* MemoryDisk
      const { secretOf, signed } = yield* token(options, from({ CAMERA_SERVICE_DATA_DIR: "/data" }))
      assert.strictEqual(secretOf, "the secret of /data")
      assert.deepInclude(decodeJwt(signed) as object, { role: "viewer", user_id: "ann" })
      assert.deepStrictEqual(outside.names("/data/secrets"), ["jwt_secret"])
    }).pipe(Effect.provide([MemoryDisk.layer, Threads.layer, layerWebCrypto]))
  )

  it.effect("is signed with the configured secret where there is one", () =>
    Effect.gen(function* () {
      const { outside } = yield* MemoryDisk
      const secret = { CAMERA_SERVICE_AUTH_JWT_SECRET: "s".repeat(32) }
      const { secretOf } = yield* token(options, from({ CAMERA_SERVICE_DATA_DIR: "/data", ...secret }))
      assert.strictEqual(secretOf, "auth.jwt_secret of the configuration")
      assert.deepStrictEqual(outside.names("/data/secrets"), [])
    }).pipe(Effect.provide([MemoryDisk.layer, Threads.layer, layerWebCrypto]))
  )

  it.effect(
    "comes as a link to the console too, where the service listens for others or by the name that it has for them",
    () =>
      Effect.gen(function* () {
        const linkWith = (server: Readonly<Record<string, string>>) =>
          token(options, from({ CAMERA_SERVICE_DATA_DIR: "/data", CAMERA_SERVICE_SERVER_PORT: "9002", ...server }))
        const { link, signed } = yield* linkWith({ CAMERA_SERVICE_SERVER_HOST: "0.0.0.0" })
        assert.strictEqual(link, `http://127.0.0.1:9002/#token=${signed}`)
        const known = yield* linkWith({ CAMERA_SERVICE_SERVER_PUBLIC_HOST: "cameras.example" })
        assert.strictEqual(known.link, `http://cameras.example:9002/#token=${known.signed}`)
      }).pipe(Effect.provide([MemoryDisk.layer, Threads.layer, layerWebCrypto]))
  )
})
