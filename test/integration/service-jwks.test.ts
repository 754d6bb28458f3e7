import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { SignJWT } from "jose/jwt/sign"
import { exportJWK } from "jose/key/export"
import { generateKeyPair } from "jose/key/generate/keypair"
import { createServer, type Server } from "node:http"
import { connect } from "../support/PlainClient.ts"
import { readRtsp } from "../support/RtspReader.ts"
import { run, startReady } from "../support/Service.ts"

it.live("an identity provider's token opens calls and streams alike, and its keys are fetched from there", () =>
  Effect.gen(function* () {
    const { privateKey, publicKey } = yield* Effect.promise(() => generateKeyPair("ES256", { extractable: true }))
    const jwk = { ...(yield* Effect.promise(() => exportJWK(publicKey))), kid: "one", use: "sig" }
    const provider = yield* Effect.acquireRelease(
      Effect.callback<Server>((resume) => {
        const server = createServer((_, response) => response.end(JSON.stringify({ keys: [jwk] })))
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) => Effect.sync(() => server.close())
    )
    const address = provider.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    const service = yield* startReady({
      settings: { AUTH_JWKS_URL: `http://127.0.0.1:${port}/jwks`, AUTH_ISSUER: "https://id.example" }
    })
    const token = (issuer: string) =>
      Effect.promise(() =>
        new SignJWT({ user_id: "ann", role: "viewer", cameras: ["camera0"] })
          .setProtectedHeader({ alg: "ES256", kid: "one" })
          .setIssuer(issuer)
          .setIssuedAt()
          .setExpirationTime("10 minutes")
          .sign(privateKey)
      )
    const good = yield* token("https://id.example")
    const client = yield* connect(service.url, good)
    assert.include(yield* client.result<object>("get_camera_list"), { total: 1 })
    assert.include(yield* client.error("refresh_token"), { code: -32020, state: "a token of another issuer" })
    const auth_token = yield* token("https://other.example")
    assert.include(yield* client.error("authenticate", { auth_token }), { reason: "the token is of another issuer" })
    const { rtsp } = service.ground.ports
    yield* (yield* readRtsp({ port: rtsp, path: "camera0", token: good })).firstKeyframe
    const refused = Effect.flip(readRtsp({ port: rtsp, path: "camera1", token: good }))
    assert.include(yield* refused, { status: 401 })
    // what is signed here names the issuer, and has to
    const signed = yield* run(service.ground, { args: ["token", "--role", "viewer"] })
    assert.strictEqual((yield* signed.ended).code, 0)
    yield* connect(service.url, signed.stdout().trim())
    const nobodys = { auth_token: yield* service.token({ role: "viewer" }) }
    assert.include(yield* client.error("authenticate", nobodys), { reason: "the token is of another issuer" })
  })
)
