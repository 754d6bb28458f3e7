import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { keys } from "../../src/config/Keys.ts"
import { decodeRecord, Settings } from "../../src/config/Settings.ts"
import { onFakes } from "../support/App.ts"
import { cameraRows } from "./LiveCameras.ts"
import { discoveryRows } from "./LiveDiscovery.ts"
import { externalRows } from "./LiveExternal.ts"
import type { Rows } from "./LiveRows.ts"
import { serverRows } from "./LiveServer.ts"
import { storageRows } from "./LiveStorage.ts"

/** The file says this of a key from now on, and nothing of the others. */
const set = Effect.fnUntraced(function* (key: string, value: unknown) {
  const [section = "", inner = ""] = key.split(".")
  const { live } = yield* decodeRecord({ [section]: { [inner]: value } })
  yield* SubscriptionRef.set((yield* Settings).live, live)
})

const table: Rows = { ...serverRows, ...cameraRows, ...externalRows, ...discoveryRows, ...storageRows }

/** Where it is tested that a key is followed, if not here. */
const elsewhere = new Set([
  "telemetry.log_level", // test/telemetry/Logs.test.ts
  "tls.hsts_seconds", // test/http/FollowCertificate.test.ts
  ...["auth.jwks_url", "auth.issuer", "auth.audience", "auth.clock_skew_seconds"] // test/auth/ForeignTokens.test.ts
])

describe("a key that changes while the service runs", () => {
  it("is one of those whose effect is tested", () => {
    const live = keys.filter(({ changes }) => changes === "while it runs").map(({ key }) => key)
    assert.deepStrictEqual(
      live.filter((key) => !(key in table) && !elsewhere.has(key)),
      []
    )
  })

  for (const [key, check] of Object.entries(table)) {
    onFakes(
      `is followed: ${key}`,
      check((value) => set(key, value))
    )
  }
})
