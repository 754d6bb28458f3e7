import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Session } from "../../schema/Auth.ts"
import { SignedUrls } from "../../src/auth/SignedUrls.ts"
import { Settings } from "../../src/config/Settings.ts"
import { Machine } from "../../src/ground/Machine.ts"
import { PublicHttp } from "../../src/http/PublicHttp.ts"
import type { Connection } from "../../src/rpc/Connection.ts"
import { Connections } from "../../src/rpc/Connections.ts"
import { makeFileUrls } from "../../src/rpc/FileUrls.ts"
import { testSettings } from "../support/TestSettings.ts"
import { tokenCredential } from "../support/TokenCredential.ts"

const session: Session = {
  sessionId: "s",
  userId: "ann",
  role: "viewer",
  expiresAt: Infinity,
  credential: tokenCredential
}

/** What a client that came so is told, of a service with a certificate. */
const originFor = (public_host: string, came: { readonly authority?: string; readonly isSecure: boolean }) =>
  Effect.gen(function* () {
    const { of } = yield* (yield* makeFileUrls)(1, session)
    return new URL(of({ kind: "snapshot", filename: "camera0.jpg", device: "camera0" })).origin
  }).pipe(
    Effect.provide([
      Layer.succeed(
        Settings,
        testSettings({
          server: { host: "0.0.0.0", public_host },
          tls: { certificate_file: "/etc/tls/cert.pem", key_file: "/etc/tls/key.pem" }
        })
      ),
      Layer.succeed(Machine, { name: () => "box" } as Machine["Service"]),
      Layer.succeed(Connections, { get: () => came as Connection } as unknown as Connections["Service"]),
      Layer.succeed(SignedUrls, { sign: () => "s" } as unknown as SignedUrls["Service"]),
      Layer.mock(PublicHttp, { address: { host: "127.0.0.1", port: 8002 } })
    ])
  )

it.effect("with a certificate a download_url names a port that others can reach, by TLS", () =>
  Effect.gen(function* () {
    for (const [publicHost, came, origin] of [
      ["cam.example", { authority: "127.0.0.1:8002", isSecure: false }, "https://cam.example:8443"],
      ["cam.example", { isSecure: false }, "https://cam.example:8443"],
      ["cam.example", { isSecure: true }, "https://cam.example:8443"],
      ["cam.example", { authority: "10.0.0.1:9443", isSecure: true }, "https://cam.example:9443"],
      // through a proxy
      ["cam.example", { authority: "proxy.example", isSecure: true }, "https://cam.example"],
      ["", { isSecure: true }, "https://box:8443"],
      ["", { isSecure: false }, "https://box:8443"],
      ["", { authority: "10.0.0.1:8443", isSecure: true }, "https://10.0.0.1:8443"],
      // on this machine
      ["", { authority: "127.0.0.1:8002", isSecure: false }, "http://127.0.0.1:8002"]
    ] as const) {
      assert.strictEqual(yield* originFor(publicHost, came), origin, JSON.stringify([publicHost, came]))
    }
  })
)
