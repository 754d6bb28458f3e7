import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "fast-check"
import { Tcp } from "../../src/ground/Tcp.ts"
import { probe } from "../../src/rtsp/Probe.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { cameraSdp } from "../../testing/RtspPackets.ts"
import { asTimePasses } from "../suites/recordings.ts"
import { onTestGround } from "../support/App.ts"
import { target, withLogin } from "../support/NetworkCamera.ts"

const head = fc.constantFrom(
  "RTSP/1.0 200 OK\r\n",
  "RTSP/1.0 401 Unauthorized\r\n",
  "RTSP/1.0 302 Found\r\n",
  "RTSP/2.0 453 x\r\n",
  "OPTIONS * RTSP/1.0\r\n",
  "TEARDOWN * RTSP/1.0\r\n"
)
const line = fc.oneof(
  fc.constantFrom(
    ...["CSeq: 1\r\n", "CSeq: 2\r\n", "CSeq: x\r\n", "Session: ;timeout=0\r\n", "Session: 1;timeout=99999\r\n"],
    ...[
      "Content-Base: rtsp://a b/\r\n",
      "Content-Length: 65536\r\n",
      "Content-Length: 1e9\r\n",
      "Location: rtsp://u:canary@h/\r\n"
    ],
    ...['WWW-Authenticate: Digest nonce="n", stale=true\r\n', "WWW-Authenticate: Basic\r\n"],
    ...["Transport: RTP/AVP/TCP;interleaved=255-0\r\n", "Transport: RTP/AVP/TCP;interleaved=0-1\r\n"]
  ),
  fc.string({ maxLength: 20 }).map((text) => `X: ${text}\r\n`)
)
const described = `Content-Length: ${cameraSdp.length}\r\n\r\n${cameraSdp}`
const answer = fc.oneof(
  fc
    .tuple(head, fc.array(line, { maxLength: 5 }), fc.constantFrom("\r\n", described, ""))
    .map((parts) => parts.flat().join("")),
  fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
  fc.constantFrom("$\0\0\u0005hello", "$\u0001\xff\xff", "")
)

const inputs = Number(process.env["FUZZ_INPUTS"] ?? 300)
const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_129)

describe("a camera that answers anything", () => {
  it.effect("is described, or refused by name, and nothing breaks", () =>
    Effect.gen(function* () {
      const { peers } = yield* TestGround
      const tcp = yield* Tcp
      for (const answers of fc.sample(fc.array(answer, { minLength: 1, maxLength: 8 }), { numRuns: inputs, seed })) {
        const exit = yield* Effect.scoped(
          Effect.gen(function* () {
            yield* peers.listen(target.address, target.port, (caller) =>
              Effect.gen(function* () {
                for (const words of answers) {
                  yield* caller.hear
                  caller.say(Buffer.from(words, "latin1"))
                }
              }).pipe(Effect.ignore)
            )
            return yield* asTimePasses(Effect.exit(probe(tcp, yield* withLogin)))
          })
        )
        const failure = Exit.isFailure(exit) ? exit.cause.reasons : []
        for (const reason of failure) {
          assert.strictEqual(reason._tag, "Fail", JSON.stringify(answers))
          assert.notInclude(JSON.stringify(reason), "canary")
        }
      }
    }).pipe(onTestGround)
  )
})
