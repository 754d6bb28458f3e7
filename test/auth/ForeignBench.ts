import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Scope } from "effect/Scope"
import type { CryptoKey, JWK } from "jose"
import { SignJWT } from "jose/jwt/sign"
import { exportJWK } from "jose/key/export"
import { generateKeyPair } from "jose/key/generate/keypair"
import { createHmac } from "node:crypto"
import { ApiKeys } from "../../src/auth/ApiKeys.ts"
import { Credentials } from "../../src/auth/Credentials.ts"
import { SignedUrls } from "../../src/auth/SignedUrls.ts"
import { Tokens } from "../../src/auth/Tokens.ts"
import { decodeRecord, Settings } from "../../src/config/Settings.ts"
import { NoReply } from "../../src/ground/Loopback.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { SmallFiles } from "../../src/storage/SmallFiles.ts"
import { Ports } from "../../testing/MemoryLoopback.ts"
import * as MemoryNetwork from "../../testing/MemoryNetwork.ts"
import { memoryGround } from "../storage/Workbench.ts"
import { testSettings } from "../support/TestSettings.ts"

export const secret = "a configured secret of more than 32 characters"

interface Pair {
  readonly alg: string
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly jwk: JWK
}

export const makePair = async (alg: string, kid: string): Promise<Pair> => {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { alg, kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, use: "sig" } }
}
// an RSA key takes its time to make
export const rsa = makePair("RS256", "r1")
export const ec = makePair("ES256", "e1")
export const ed = makePair("EdDSA", "d1")

export const claims = { user_id: "ann", role: "operator", iat: 0, exp: 3600 }

export const sign = ({ alg, kid, privateKey }: Pair, more: object = {}, header: object = {}) =>
  Effect.promise(() => new SignJWT({ ...claims, ...more }).setProtectedHeader({ alg, kid, ...header }).sign(privateKey))

export const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
export const hmac = (header: object, key: string | Uint8Array) => {
  const body = `${base64(header)}.${base64(claims)}`
  return `${body}.${createHmac("sha256", key).update(body).digest("base64url")}`
}

export const verified = (token: string) => Effect.flatMap(Credentials, ({ verify }) => verify(token))
export const refusal = (token: string) => Effect.map(Effect.flip(verified(token)), ({ reason }) => reason)

export const service = (auth: object) =>
  Credentials.layer.pipe(
    Layer.provideMerge(SignedUrls.layer),
    Layer.provideMerge(ApiKeys.layer),
    Layer.provide(Tokens.layer),
    Layer.provide([DataFolder.layerShared, SmallFiles.layer]),
    Layer.provideMerge(
      Layer.succeed(Settings, testSettings({ data_dir: "/data", auth: { jwt_secret: secret, ...auth } }))
    )
  )

/** The file says this of tokens from now on. */
export const change = Effect.fnUntraced(function* (auth: object) {
  const { live } = yield* decodeRecord({ auth })
  yield* SubscriptionRef.set((yield* Settings).live, live)
})

/** An identity provider in memory, and the service that knows where it is. */
export const bench = <A, E>(
  body: (provider: {
    keys: ReadonlyArray<object>
    status: number
    isDown: boolean
    asked: number
    hangs: Deferred.Deferred<void> | undefined
  }) => Effect.Effect<A, E, Credentials | SignedUrls | ApiKeys | Settings | Ports | Scope>,
  auth: object = {}
) =>
  Effect.gen(function* () {
    const pairs = yield* Effect.promise(() => Promise.all([rsa, ec, ed]))
    const provider = {
      keys: pairs.map(({ jwk }) => jwk) as ReadonlyArray<object>,
      status: 200,
      isDown: false,
      asked: 0,
      hangs: undefined as Deferred.Deferred<void> | undefined
    }
    const ports = yield* Ports
    yield* ports.listen(9000, {
      pid: 0,
      http: ({ path }) =>
        Effect.gen(function* () {
          assert.strictEqual(path, "/jwks?tenant=1")
          provider.asked++
          if (provider.hangs !== undefined) yield* Deferred.await(provider.hangs)
          if (provider.isDown) return yield* new NoReply({ detail: "connect ECONNREFUSED" })
          return { status: provider.status, body: { keys: provider.keys } }
        })
    })
    const layer = service({ jwks_url: "http://127.0.0.1:9000/jwks?tenant=1", ...auth })
    return yield* Effect.provide(body(provider), layer)
  }).pipe(Effect.scoped, Effect.provide([MemoryNetwork.layer, memoryGround]))
