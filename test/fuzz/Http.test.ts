import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import type { ApiKeyCreated, ViewingKeyCreated } from "../../schema/Auth.ts"
import { MediaMtxKey } from "../../src/process/MediaMtxKey.ts"
import { Visitors } from "../../testing/Visitors.ts"
import { connect, tokenFor } from "../rpc/Harness.ts"
import { dataFolder, onTestGround, plugIn, runFake } from "../support/App.ts"
import { take } from "../suites/snapshots.ts"
import { atOnce, inTime } from "./InTime.ts"
import { outcomes, picture, request, type Request, showing, type Shown } from "./Requests.ts"

/**
 * HTTP requests and openings of WebSockets, right and wrong, on the port for clients and on the one for this machine: each
 * is answered by the status that its credentials, method and path deserve. See `JsonRpc.test.ts` for how to run more.
 */
const inputs = Number(process.env["FUZZ_INPUTS"] ?? 3000)
const firstSeed = Number(process.env["FUZZ_SEED"] ?? 20_260_517)
const inputsOfOneApp = 2000

const secret = "canary-of-the-fuzzer-0123456789abcdef"
const leaks = [secret, `${dataFolder}/`, "node_modules", "/src/", ".ts:", "TypeError", "at Object"]
const ports = { public: 8002, local: 8003 }

const answer = Effect.fnUntraced(function* ({ port, ...asked }: Request) {
  const visitors = yield* Visitors
  const { body, headers: given, status } = yield* visitors.ask(ports[port], asked)
  const text = yield* Stream.mkString(Stream.decodeText(body))
  return { status, shown: JSON.stringify(given) + text }
}, Effect.scoped)

/** The status of a refusal; 101 where it was opened. */
const opening = Effect.fnUntraced(function* ({ port, ...asked }: Request) {
  const visitors = yield* Visitors
  return yield* Effect.as(visitors.connect(ports[port], asked), 101)
}, Effect.scoped)

/** So many inputs are shown the same: a signature for a stream lasts a minute, and failed logins are answered late. */
const inputsOfOneSignature = 10

const resultOf = Effect.fnUntraced(function* <A>(credential: string, method: string, params: object) {
  const client = yield* connect({ headers: { authorization: `Bearer ${credential}` } })
  const reply = yield* atOnce(client.call({ jsonrpc: "2.0", id: 1, method, params }))
  return (reply as { readonly result: A }).result
}, Effect.scoped)

/** A camera and its picture, and keys. */
const settle = Effect.gen(function* () {
  const device = yield* plugIn(0)
  yield* inTime(take({ camera: device, filename: "a.jpg" }))
  const admin = yield* tokenFor("admin")
  const { api_key } = yield* resultOf<typeof ApiKeyCreated.Type>(admin, "create_api_key", { role: "operator" })
  const params = { device, expires_in_seconds: 86_400 }
  const { viewing_key } = yield* resultOf<typeof ViewingKeyCreated.Type>(api_key, "create_viewing_key", params)
  return { device, APIKEY: api_key, VIEWING: viewing_key }
})

/** What opens the camera and its picture now. */
const credentials = Effect.fnUntraced(function* ({ APIKEY, VIEWING, device }: Effect.Success<typeof settle>) {
  const picture = { filename: "a.jpg" }
  const file = yield* resultOf<{ readonly download_url: string }>(APIKEY, "get_download_url", picture)
  const stream = { device, signed: true }
  const { signed_urls } = yield* resultOf<{ readonly signed_urls: { readonly rtsp: string } }>(
    APIKEY,
    "get_stream_url",
    stream
  )
  return {
    APIKEY,
    VIEWING,
    TOKEN: yield* tokenFor("viewer"),
    SIGNED: new URL(file.download_url).searchParams.get("signed") ?? "",
    STREAM: new URL(signed_urls.rtsp).searchParams.get("token") ?? "",
    ASKER: btoa((yield* MediaMtxKey).asker())
  } satisfies Shown as Shown
})

/** Nothing on the port for this machine takes its time. */
const answered = (sent: Request) => (sent.port === "local" ? atOnce : inTime)(answer(sent))

const fuzz = (seed: number, count: number) =>
  Effect.gen(function* () {
    const settled = yield* settle
    let show = showing(yield* credentials(settled))
    const seen = new Map<number, number>()
    const sample = fc.sample(fc.tuple(request, fc.nat(9)), { seed, numRuns: count })
    for (const [number, [sent, chance]] of sample.entries()) {
      if (number % inputsOfOneSignature === 0) show = showing(yield* credentials(settled))
      const looked = Effect.gen(function* () {
        if (chance === 0) {
          const refused = Effect.catchTag(opening(show(sent)), "Refused", ({ status }) => Effect.succeed(status))
          expect([101, 403, 404, 429, 503]).toContain(yield* inTime(refused))
          return
        }
        const { shown: text, status } = yield* answered(show(sent))
        expect(outcomes(sent)).toContain(status)
        for (const leak of leaks) expect(text).not.toContain(leak)
        seen.set(status, (seen.get(status) ?? 0) + 1)
      })
      yield* Effect.tapCause(looked, () => Effect.sync(() => console.error(`seed ${seed}: ${JSON.stringify(sent)}`)))
    }
    // it still does what it is there for
    const headers = { authorization: "Bearer APIKEY" }
    const whole = show({ port: "public", method: "GET", target: picture, headers, body: "" })
    expect((yield* answered(whole)).status).toBe(200)
    for (const status of [200, 400, 401, 403, 404, 405]) expect(seen.get(status), String(status)).toBeGreaterThan(0)
  })

for (let done = 0, seed = firstSeed; done < inputs; done += inputsOfOneApp, seed++) {
  const count = Math.min(inputsOfOneApp, inputs - done)
  it.effect(
    `${count} HTTP requests of seed ${seed} are answered as they deserve, and tell nothing of the inside`,
    () => onTestGround(runFake(dataFolder, fuzz(seed, count), { auth: { jwt_secret: secret } })),
    300_000
  )
}
