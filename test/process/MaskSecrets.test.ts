import { assert, describe, it } from "@effect/vitest"
import { maskSecrets } from "../../src/process/MaskSecrets.ts"

describe("maskSecrets", () => {
  it("shows no credentials of URLs and queries", () => {
    assert.strictEqual(
      maskSecrets("rtsp://me:p@ss@10.0.0.1:554/live: 401; http://h/x?a=1&token=ey.J&b=2"),
      "rtsp://***@10.0.0.1:554/live: 401; http://h/x?a=1&token=***&b=2"
    )
    assert.strictEqual(
      maskSecrets("GET /export/camera0?from=1&signed=a.b.c /files/x.mp4?signed=a.b 200"),
      "GET /export/camera0?from=1&signed=*** /files/x.mp4?signed=*** 200"
    )
    assert.strictEqual(
      maskSecrets("rtsp://10.0.0.1/live sent to me@example.org"),
      "rtsp://10.0.0.1/live sent to me@example.org"
    )
    // by its square this would take minutes
    const long = "a".repeat(300_000)
    assert.strictEqual(maskSecrets(`${long}://me:p@h`), `${long}://***@h`)
  })
})
