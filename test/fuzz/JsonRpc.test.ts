import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Rpc from "effect/rpc/Rpc"
import * as fc from "fast-check"
import { CameraRpcs } from "../../schema/CameraRpcs.ts"
import type { Role } from "../../schema/Auth.ts"
import { ServiceError } from "../../schema/Errors.ts"
import { errorCodes } from "../../schema/JsonRpc.ts"
import { Devices } from "../../src/device/Devices.ts"
import { connect, connectAs } from "../rpc/Harness.ts"
import { dataFolder, onTestGround, plugIn, runFake } from "../support/App.ts"
import { inTime } from "./InTime.ts"
import { type Call, message, type Message } from "./Messages.ts"

/**
 * Messages, right and wrong, made of the contract: each is answered as the contract says, by a service that goes on. A failure
 * tells the seed and the message; these run more of them, or the same again:
 *
 *     FUZZ_INPUTS=200000 FUZZ_SEED=1 npx vitest run --project unit test/fuzz
 */
const inputs = Number(process.env["FUZZ_INPUTS"] ?? 3000)
const firstSeed = Number(process.env["FUZZ_SEED"] ?? 20_260_517)
/** One service answers so many. */
const inputsOfOneApp = 1000

const secret = "canary-of-the-fuzzer-0123456789abcdef"
/** What no client is ever told: our secret, our folders, our sources. */
const leaks = [secret, `${dataFolder}/`, "node_modules", "/src/", ".ts:", "TypeError", "SchemaError", "at Object"]

interface Reply {
  readonly jsonrpc: string
  readonly id: unknown
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string; readonly data: object }
}

const read = (schema: Schema.Top, value: unknown) =>
  Schema.decodeUnknownSync(Schema.toCodecJson(schema as Schema.Codec<unknown>), { onExcessProperty: "error" })(value)

const tagOf = (code: number) => Object.entries(errorCodes).find(([, known]) => known.code === code)?.[0]

/** Fails where the reply is not what this call may be answered by. */
const check = (call: Call, reply: Reply, role: Role | undefined): void => {
  expect(reply.jsonrpc).toBe("2.0")
  expect(reply.id).toEqual(JSON.parse(call.id ?? "null"))
  expect(Object.hasOwn(reply, "result")).toBe(reply.error === undefined)
  expect(call.outcomes(role)).toContain(reply.error?.code ?? "ok")
  if (reply.error === undefined) {
    const rpc = CameraRpcs.requests.get(call.method?.name ?? "") as unknown as Rpc.AnyWithProps
    read(rpc.successSchema, reply.result)
    return
  }
  const tag = tagOf(reply.error.code)
  if (tag !== undefined) read(ServiceError, { _tag: tag, ...reply.error.data })
}

/** The replies of a batch come in any order, and two of its calls may have one id: each reply is that of some call. */
const answersAll = (replies: ReadonlyArray<Reply>, calls: ReadonlyArray<Call>, role: Role | undefined): void => {
  const [reply, ...others] = replies
  if (reply === undefined) return
  let why: unknown
  for (const [index, call] of calls.entries()) {
    try {
      check(call, reply, role)
      return answersAll(others, calls.toSpliced(index, 1), role)
    } catch (cause) {
      why = cause
    }
  }
  throw why
}

const checkAll = ({ calls, isBatch }: Message, text: string, role: Role | undefined): void => {
  const came = JSON.parse(text) as Reply | ReadonlyArray<Reply>
  expect(Array.isArray(came)).toBe(isBatch)
  const replies = Array.isArray(came) ? (came as ReadonlyArray<Reply>) : [came as Reply]
  expect(replies).toHaveLength(calls.length)
  answersAll(replies, calls, role)
  if (!isBatch) expect(text.startsWith(`{"jsonrpc":"2.0","id":${calls[0]?.id},`)).toBe(true)
}

const fuzz = (seed: number, count: number) =>
  Effect.gen(function* () {
    yield* plugIn(0)
    const devices = yield* Devices
    const members = yield* Effect.forEach(["viewer", "operator", "admin"] as const, (role) =>
      Effect.map(connectAs(role), (client) => ({ client, role: role as Role | undefined }))
    )
    // loaded at its first call, in a time that is not the test's
    yield* Effect.promise(() => import("../../schema/generated/openrpc.json", { with: { type: "json" } }))
    const messages = fc.sample(fc.tuple(message, fc.nat(3)), { seed, numRuns: count })
    for (const [sent, who] of messages) {
      // a stranger is not let be one for long
      const { client, role } = members[who] ?? { client: yield* connect(), role: undefined }
      const next = Effect.gen(function* () {
        for (;;) {
          const text = yield* client.text
          for (const leak of leaks) expect(text).not.toContain(leak)
          if (!text.startsWith('{"jsonrpc":"2.0","method":')) return text
        }
      })
      const answered = Effect.gen(function* () {
        client.send(sent.text)
        if (sent.calls.length > 0) checkAll(sent, yield* inTime(next), role)
        const pong = '{"jsonrpc":"2.0","method":"ping","id":"still there"}'
        client.send(pong)
        expect(yield* inTime(next)).toBe('{"jsonrpc":"2.0","id":"still there","result":"pong"}')
      })
      yield* Effect.tapCause(Effect.scoped(answered), () =>
        Effect.sync(() => console.error(`seed ${seed}, as ${role ?? "a stranger"}: ${JSON.stringify(sent.text)}`))
      )
    }
    expect(devices.list().length).toBeGreaterThan(0)
  })

const settings = {
  auth: { jwt_secret: secret },
  streams: { viewer_linger_seconds: 0, snapshot_linger_seconds: 0 }
}

for (let done = 0, seed = firstSeed; done < inputs; done += inputsOfOneApp, seed++) {
  const count = Math.min(inputsOfOneApp, inputs - done)
  it.effect(
    `${count} messages of seed ${seed} are answered as the contract says, and tell nothing of the inside`,
    () => onTestGround(runFake(dataFolder, fuzz(seed, count), settings)),
    300_000
  )
}
