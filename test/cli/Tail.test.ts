import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { tail } from "../../src/cli/Tail.ts"
import { TestGround } from "../../testing/TestGround.ts"

const own = {
  timestamp: "2026-05-17T10:00:00.000Z",
  level: "warning",
  message: "a login failed",
  address: "198.51.100.7",
  failures: 3,
  user: "\u001b[2Jx",
  trace_id: "0af7651916cd43dd8448eb211c80319c",
  span_id: "b7ad6b7169203331"
}
const hint = "Hint: You are currently not seeing messages from other users and the system."
const lines = ["Started camera-service.service.", JSON.stringify(own), "{broken"]

/** What is printed until journalctl ends so, and what is said then. */
const tailed = (isJson: boolean, code: number) =>
  Effect.gen(function* () {
    const { programs } = yield* TestGround
    const printed: Array<string> = []
    const asked: Array<ReadonlyArray<string>> = []
    const aside: Array<string> = []
    programs.play("journalctl", ({ args, stderr, stdout }) =>
      Effect.sync(() => {
        asked.push(args)
        if (code === 0) stderr(`${hint}\n`)
        for (const line of lines) stdout(new TextEncoder().encode(`${line}\n`))
        return { code }
      })
    )
    const print = (text: string | Uint8Array) => Effect.sync(() => void printed.push(String(text)))
    const printAside = (text: string) => void aside.push(text)
    const { message } = yield* Effect.flip(tail({ isJson, print, printAside }))
    return { printed: printed.join(""), aside: aside.join(""), message, args: asked[0] ?? [] }
  }).pipe(Effect.provide(TestGround.layer))

it.effect("the log is told in lines that people read, whoever wrote them, and moves no cursor", () =>
  Effect.gen(function* () {
    const { args, printed } = yield* tailed(false, 0)
    assert.includeMembers([...args], ["camera-service", "--follow"])
    assert.strictEqual(
      printed,
      `${[
        "Started camera-service.service.",
        "2026-05-17T10:00:00.000Z  warning  a login failed  address=198.51.100.7  failures=3  user= [2Jx",
        "{broken"
      ].join("\n")}\n`
    )
  })
)

it.effect("a program gets an object a line, as the service logged it", () =>
  Effect.gen(function* () {
    const { printed } = yield* tailed(true, 0)
    const [started, line, broken] = printed
      .trim()
      .split("\n")
      .map((text): unknown => JSON.parse(text))
    assert.deepStrictEqual([started, line, broken], [{ message: lines[0] }, own, { message: lines[2] }])
  })
)

it.effect("who may not see all of it is told so by journalctl, beside what a program reads", () =>
  Effect.gen(function* () {
    const { aside, printed } = yield* tailed(true, 0)
    assert.strictEqual(aside, `${hint}\n`)
    assert.notInclude(printed, "Hint")
  })
)

it.effect("where the journal may not be read, or is none, it says what to do", () =>
  Effect.gen(function* () {
    assert.include((yield* tailed(false, 1)).message, "journalctl ended with status 1: run this as root")
    assert.include((yield* tailed(false, 127)).message, "there is no journal on this machine")
  })
)
