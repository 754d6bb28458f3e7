import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { SignJWT } from "jose/jwt/sign"
import { exportJWK } from "jose/key/export"
import { generateKeyPair } from "jose/key/generate/keypair"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer, type Server } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
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
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "camera-service-jwks-"))),
      (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
    )
    const CONFIG = join(folder, "config.yaml")
    const configure = (issuer: string) =>
      writeFileSync(CONFIG, `auth: { jwks_url: "http://127.0.0.1:${port}/jwks", issuer: "${issuer}" }\n`)
    configure("https://id.example")
    const service = yield* startReady({ settings: { CONFIG } })
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
    // what was made with it, and what is open, ends with it
    const params = { device: "camera0" }
    const { viewing_key } = yield* client.result<{ readonly viewing_key: string }>("create_viewing_key", params)
    const { signed_urls } = yield* client.result<{ readonly signed_urls: { readonly rtsp: string } }>(
      "get_stream_url",
      { ...params, signed: true }
    )
    const signature = new URL(signed_urls.rtsp).searchParams.get("token") ?? ""
    const readers = yield* Effect.forEach([good, viewing_key, signature], (token) =>
      readRtsp({ port: rtsp, path: "camera0", token })
    )
    for (const reader of readers) yield* reader.firstKeyframe
    configure("https://other.example")
    yield* service.kill("SIGHUP")
    for (const reader of readers) yield* Effect.timeout(reader.ended, "20 seconds")
    const refusals = Effect.forEach(
      [good, viewing_key, signature],
      (token) => Effect.flip(readRtsp({ port: rtsp, path: "camera0", token })),
      // MediaMTX takes its time to refuse
      { concurrency: 3 }
    )
    for (const refusal of yield* refusals) assert.include(refusal, { status: 401 })
    assert.include(yield* client.error("get_camera_list"), { code: -32001 })
    const nobodys = { auth_token: yield* service.token({ role: "viewer" }) }
    assert.include(yield* client.error("authenticate", nobodys), { reason: "the token is of another issuer" })
  })
)
