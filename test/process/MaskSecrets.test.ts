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
    // as programs print their options
    assert.strictEqual(
      maskSecrets(
        "[error] password=hunter2, token=abc; stream_key=live_1 in 'api-key=xyz' (pass=\"a b\" secret='c d'), fps=30"
      ),
      "[error] password=*** token=*** stream_key=*** in 'api-key=***' (pass=*** secret=***), fps=30"
    )
    assert.strictEqual(
      maskSecrets("srt://h:9000?passphrase=long-enough&mode=caller passwd=x pwd=y apikey=z"),
      "srt://h:9000?passphrase=***&mode=caller passwd=*** pwd=*** apikey=***"
    )
    assert.strictEqual(
      maskSecrets("Authorization: Basic bWU6cEBzcw== is refused"),
      "Authorization: Basic *** is refused"
    )
    assert.strictEqual(
      maskSecrets("keyint=250 key frame 3, session 4, author=me"),
      "keyint=250 key frame 3, session 4, author=me"
    )
    // by its square this would take minutes
    const long = "a".repeat(300_000)
    assert.strictEqual(maskSecrets(`${long}://me:p@h`), `${long}://***@h`)
  })
})
