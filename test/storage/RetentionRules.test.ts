import { assert, describe, it } from "vitest"
import { liveNow } from "../../src/config/Settings.ts"
import type { Rule } from "../../src/storage/RetentionPlan.ts"
import { noPolicies, rulesOf } from "../../src/storage/RetentionRules.ts"
import { testSettings } from "../support/TestSettings.ts"

const day = 86_400_000
const gigabyte = 1024 ** 3
const storage = (keys: Readonly<Record<string, unknown>> = {}) => liveNow(testSettings({ storage: keys })).storage
const none = { maxAgeMillis: undefined, maxBytes: undefined }
const policy = (policy_type: "age" | "size" | "manual", more: object = {}) => ({ policy_type, enabled: true, ...more })

describe("the rules of retention", () => {
  it("delete nothing where nothing is configured", () => {
    assert.deepStrictEqual(rulesOf(storage(), noPolicies, false), { all: none, own: new Map() })
  })

  it("are the settings where no policy was set; a camera has its own limit, and else that of all", () => {
    const settings = storage({
      max_age_days: 30,
      max_size_gb: 100,
      camera_max_age_days: ["camera1=0.5"],
      camera_max_size_gb: ["camera1=2", "camera2=3"]
    })
    assert.deepStrictEqual(rulesOf(settings, noPolicies, false), {
      all: { maxAgeMillis: 30 * day, maxBytes: 100 * gigabyte },
      own: new Map([
        ["camera1", { maxAgeMillis: day / 2, maxBytes: 2 * gigabyte }],
        ["camera2", { maxAgeMillis: 30 * day, maxBytes: 3 * gigabyte }]
      ])
    })
  })

  it("are the policy that was set in place of the settings, by its type alone", () => {
    const settings = storage({ max_age_days: 30, max_size_gb: 100 })
    const both = { max_age_days: 7, max_size_gb: 5 }
    const of = (set: ReturnType<typeof policy>) => rulesOf(settings, { all: set, cameras: {} }, false).all
    assert.deepStrictEqual(of(policy("age", both)), { maxAgeMillis: 7 * day, maxBytes: undefined })
    assert.deepStrictEqual(of(policy("size", both)), { maxAgeMillis: undefined, maxBytes: 5 * gigabyte })
    assert.strictEqual(of(policy("age", { ...both, enabled: false })), "KEPT")
  })

  it("of a manual policy count only when a cleanup is asked for", () => {
    const settings = storage({ max_age_days: 30 })
    const set = { all: policy("manual"), cameras: { camera1: policy("manual", { max_age_days: 7 }) } }
    assert.deepStrictEqual(rulesOf(settings, set, false), {
      all: "KEPT",
      own: new Map<string, Rule>([["camera1", "KEPT"]])
    })
    assert.deepStrictEqual(rulesOf(settings, set, true), {
      all: { maxAgeMillis: 30 * day, maxBytes: undefined },
      own: new Map([["camera1", { maxAgeMillis: 7 * day, maxBytes: undefined }]])
    })
  })

  it("of one camera stand beside those of all, whatever these are", () => {
    const set = {
      all: policy("age", { enabled: false }),
      cameras: { camera1: policy("size", { max_size_gb: 1 }), camera2: policy("age", { enabled: false }) }
    }
    assert.deepStrictEqual(rulesOf(storage({ max_age_days: 30, camera_max_age_days: ["camera2=1"] }), set, true), {
      all: "KEPT",
      own: new Map<string, Rule>([
        ["camera2", "KEPT"],
        ["camera1", { maxAgeMillis: undefined, maxBytes: gigabyte }]
      ])
    })
  })
})
