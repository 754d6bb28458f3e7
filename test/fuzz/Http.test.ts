import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import * as PassingTime from "../../testing/PassingTime.ts"
import { type Question, Visitors } from "../../testing/Visitors.ts"
import { connectAs, tokenFor } from "../rpc/Harness.ts"
import { dataFolder, onTestGround, plugIn, runFake } from "../support/App.ts"
import { take } from "../suites/snapshots.ts"

/** HTTP requests and openings of WebSockets, right and wrong: each is answered, with a status that HTTP has for it. See `JsonRpc.test.ts`. */
const inputs = Number(process.env["FUZZ_INPUTS"] ?? 3000)
const firstSeed = Number(process.env["FUZZ_SEED"] ?? 20_260_517)
const inputsOfOneApp = 2000

const secret = "canary-of-the-fuzzer-0123456789abcdef"
const leaks = [secret, `${dataFolder}/`, "node_modules", "/src/", ".ts:", "TypeError", "at Object"]
const ports = { public: 8002, local: 8003 }
/** Every status that these ports answer with, but for defects. */
const statuses = new Set([200, 206, 304, 400, 401, 403, 404, 405, 413, 416, 426, 429, 503])

const segments = fc.oneof(
  fc.constantFrom(
    "files",
    "recordings",
    "snapshots",
    "a.jpg",
    "none.mp4",
    "secrets",
    "jwt_secret",
    "ws",
    "health",
    "live",
    "ready",
    "mediamtx",
    "auth",
    "",
    ".",
    "..",
    "%2e%2e",
    "%2F",
    "%00",
    "%",
    "%zz",
    "%C0%AE",
    "a%20b",
    "con:",
    "\u{1F681}"
  ),
  fc.string({ maxLength: 12 })
)
const target = fc
  .tuple(
    fc.constantFrom(
      "/",
      "/files/snapshots/",
      "/files/recordings/",
      "/ws",
      "/health",
      "/mediamtx/",
      "http://evil/",
      "*",
      ""
    ),
    fc.array(segments, { maxLength: 4 }),
    fc.constantFrom(
      "",
      "?",
      "?token=x",
      "?a=b&a=c",
      "#x",
      `?${"x".repeat(3000)}`,
      "?SIGNED",
      "?SIGNED&disposition=inline",
      "?SIGNEDx",
      "?signed=",
      "?signed=..camera0..x",
      "?signed=%00&SIGNED"
    )
  )
  .map(([start, path, query]) => start + path.join("/") + query)

/** `TOKEN` stands for a viewer's token, and `SIGNED` for what opens its snapshot. */
const headers = fc.dictionary(
  fc.constantFrom(
    "authorization",
    "x-api-key",
    "range",
    "if-range",
    "if-none-match",
    "if-modified-since",
    "host",
    "origin",
    "cookie",
    "content-type",
    "x-forwarded-for",
    "expect",
    "te"
  ),
  fc.oneof(
    fc.constantFrom(
      "Bearer TOKEN",
      "TOKEN",
      "Bearer",
      "Bearer  TOKEN ",
      "Basic dTpw",
      "bytes=0-",
      "bytes=0-0",
      "bytes=-1",
      "bytes=5-2",
      "bytes=0-1,3-4",
      "bytes=99999999999999999999-",
      "bytes=a-b",
      "*",
      '"a"',
      'W/"a"',
      "null",
      "http://127.0.0.1:8002",
      "https://evil.example",
      "127.0.0.1:8002",
      "[::1]",
      "Sat, 30 Feb 2030 99:99:99 GMT",
      "100-continue"
    ),
    fc.string({ maxLength: 30, unit: "binary-ascii" })
  ),
  { maxKeys: 4, noNullPrototype: true }
)
const question = fc.record({
  method: fc.constantFrom("GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "get", "TRACE", "X"),
  target,
  headers,
  body: fc.oneof(fc.constant(""), fc.json(), fc.string(), fc.constant("x".repeat(70_000))),
  address: fc.constantFrom("127.0.0.1", "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1")
})

const answer = Effect.fnUntraced(function* (port: number, asked: Question) {
  const visitors = yield* Visitors
  const { body, headers: given, status } = yield* visitors.ask(port, asked)
  const text = yield* Stream.mkString(Stream.decodeText(body))
  return { status, shown: JSON.stringify(given) + text }
}, Effect.scoped)

/** The status of a refusal; 101 where it was opened. */
const opening = Effect.fnUntraced(function* (port: number, asked: Question) {
  const visitors = yield* Visitors
  yield* visitors.connect(port, asked)
  return 101
}, Effect.scoped)

const fuzz = (seed: number, count: number) =>
  Effect.gen(function* () {
    const camera = yield* plugIn(0)
    yield* PassingTime.asTimePasses(take({ camera, filename: "a.jpg" }))
    const token = yield* tokenFor("viewer")
    const client = yield* connectAs("viewer")
    const url = client.call({ jsonrpc: "2.0", id: 1, method: "get_download_url", params: { filename: "a.jpg" } })
    const { result } = (yield* PassingTime.asTimePasses(url)) as { readonly result: { readonly download_url: string } }
    const signed = new URL(result.download_url).search.slice(1)
    const shown = new Map<number, number>()
    const questions = fc.sample(fc.tuple(question, fc.constantFrom("public", "local"), fc.nat(9)), {
      seed,
      numRuns: count
    })
    for (const [sent, where, chance] of questions) {
      const asked = {
        ...sent,
        target: sent.target.replace("SIGNED", signed),
        headers: Object.fromEntries(
          Object.entries(sent.headers).map(([name, value]) => [name, value.replace("TOKEN", token)])
        )
      }
      const answered = Effect.gen(function* () {
        if (chance === 0) {
          const refused = yield* Effect.catchTag(
            opening(ports[where as "public" | "local"], asked),
            "Refused",
            ({ status }) => Effect.succeed(status)
          )
          expect([101, 403, 404, 429, 503]).toContain(refused)
          return
        }
        const { shown: text, status } = yield* PassingTime.asTimePasses(
          answer(ports[where as "public" | "local"], asked)
        )
        expect(statuses).toContain(status)
        for (const leak of leaks) expect(text).not.toContain(leak)
        shown.set(status, (shown.get(status) ?? 0) + 1)
      })
      yield* Effect.tapCause(answered, () =>
        Effect.sync(() => console.error(`seed ${seed}, ${where}: ${JSON.stringify(sent)}`))
      )
    }
    // it still does what it is there for
    const headers = { authorization: `Bearer ${token}` }
    const file = yield* PassingTime.asTimePasses(answer(ports.public, { target: "/files/snapshots/a.jpg", headers }))
    expect(file.status).toBe(200)
    for (const status of [200, 401, 403, 404, 405]) expect(shown.get(status), String(status)).toBeGreaterThan(0)
  })

for (let done = 0, seed = firstSeed; done < inputs; done += inputsOfOneApp, seed++) {
  const count = Math.min(inputsOfOneApp, inputs - done)
  it.effect(
    `${count} HTTP requests of seed ${seed} are answered, and tell nothing of the inside`,
    () => onTestGround(runFake(dataFolder, fuzz(seed, count), { auth: { jwt_secret: secret } })),
    300_000
  )
}
