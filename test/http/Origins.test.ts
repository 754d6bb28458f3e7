import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Certificate } from "../../src/config/Certificate.ts"
import { Settings } from "../../src/config/Settings.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { Network } from "../../src/ground/Network.ts"
import { PublicHttp } from "../../src/http/PublicHttp.ts"
import { testSettings } from "../support/TestSettings.ts"
import { ask } from "./Client.ts"

const page = "https://wall.example"
/** no operator may set port 0, the one that the system chooses */
const settings = Layer.sync(Settings, () => {
  const { boot, ...others } = testSettings({ server: { allowed_origins: [page] } })
  return { ...others, boot: { ...boot, server: { ...boot.server, port: 0 } } }
})
const running = PublicHttp.layer.pipe(
  Layer.provide(Certificate.layer),
  Layer.provide([settings, Network.layer, Disk.layer])
)

/** A page of this origin fetches a file, or asks first whether it may. */
const from = Effect.fnUntraced(function* (origin: string, method: "GET" | "OPTIONS") {
  const http = yield* PublicHttp
  yield* http.handle("/files/", () =>
    Effect.succeed({ status: 200, headers: { "content-type": "text/plain" }, body: "here" })
  )
  const asks = method === "OPTIONS" ? { "access-control-request-method": "GET" } : {}
  return yield* ask(http.address.port, "/files/a", { method, headers: { origin, ...asks } })
}, Effect.scoped)

layer(running)("a page of another origin", (it) => {
  it.effect("reads what it fetches, and may send its token, where the operator allows it", () =>
    Effect.gen(function* () {
      const asked = yield* from(page, "OPTIONS")
      assert.deepInclude(asked, { status: 204, body: "" })
      assert.deepInclude(asked.headers, { "access-control-allow-origin": page, vary: "Origin" })
      assert.include(asked.headers["access-control-allow-headers"], "Authorization")
      const reply = yield* from(page, "GET")
      assert.deepInclude(reply, { status: 200, body: "here" })
      assert.deepInclude(reply.headers, { "access-control-allow-origin": page, vary: "Origin" })
      assert.include(reply.headers["access-control-expose-headers"], "Content-Range")
      // cookies and client certificates of the browser are nothing to us
      assert.notProperty(reply.headers, "access-control-allow-credentials")
    })
  )

  it.effect("reads nothing elsewhere", () =>
    Effect.gen(function* () {
      for (const origin of ["https://evil.example", "null", `${page}.evil.example`, "http://wall.example"]) {
        assert.strictEqual((yield* from(origin, "OPTIONS")).status, 403, origin)
        const reply = yield* from(origin, "GET")
        assert.notProperty(reply.headers, "access-control-allow-origin")
        assert.strictEqual(reply.headers.vary, "Origin")
      }
    })
  )

  it.effect("is none where no origin is named: a program that asks for options gets what others get", () =>
    Effect.gen(function* () {
      const { address } = yield* PublicHttp
      const asked = { method: "OPTIONS", headers: { "access-control-request-method": "GET" } }
      const reply = yield* ask(address.port, "/none", asked)
      assert.strictEqual(reply.status, 404)
      assert.notProperty(reply.headers, "access-control-allow-origin")
    })
  )

  it.effect("is told the same of what is not there", () =>
    Effect.gen(function* () {
      const { address } = yield* PublicHttp
      const reply = yield* ask(address.port, "/none", { headers: { origin: page } })
      assert.strictEqual(reply.status, 404)
      assert.strictEqual(reply.headers["access-control-allow-origin"], page)
    })
  )
})
