import * as fc from "fast-check"
import type { Method } from "../../scripts/contract.ts"
import { type Role, roleIncludes } from "../../schema/Auth.ts"
import { errorCodes, maxBatchEntries } from "../../schema/JsonRpc.ts"
import { broken, contract, valid } from "./Values.ts"

/** One call as text, and what may come back. */
export interface Call {
  readonly text: string
  /** its id as it was written; undefined: nothing comes back */
  readonly id: string | undefined
  /** what the reply has for a client with this role: one of these codes, or (`ok`) a result */
  readonly outcomes: (role: Role | undefined) => ReadonlyArray<number | "ok">
  /** undefined where it is no known method */
  readonly method: Method | undefined
}

export interface Message {
  readonly text: string
  /** what comes back: the replies of a batch come in one frame */
  readonly calls: ReadonlyArray<Call>
  readonly isBatch: boolean
}

const json = (value: unknown): string => JSON.stringify(value) ?? "null"

/** Raw texts of ids: numbers that a parser would change, too. */
const ids = fc.oneof(
  fc.integer().map(String),
  fc.string({ maxLength: 20 }).map(json),
  fc.constantFrom("null", "1.0", "1e3", "12345678901234567890", "-0", '"\\u0069"', '""', `"${"x".repeat(300)}"`)
)

interface Params {
  /** undefined: left out */
  readonly text: string | undefined
  readonly isValid: boolean
}

const paramsOf = ({ params }: Method): fc.Arbitrary<Params> => {
  const properties = Object.entries(params.properties ?? {})
  const required = properties.filter(([name]) => params.required?.includes(name))
  const inOrder = [...required, ...properties.filter((property) => !required.includes(property))]
  const good = valid(params) as fc.Arbitrary<Record<string, unknown>>

  const byName = good.map((value): Params => ({ text: json(value), isValid: true }))
  const byPosition = fc
    .tuple(fc.integer({ min: required.length, max: inOrder.length }), ...inOrder.map(([, schema]) => valid(schema)))
    .map(([length, ...values]): Params => ({ text: json(values.slice(0, length)), isValid: true }))
  const none = fc
    .constantFrom(undefined, "null", "[]", "{}")
    .map((text): Params => ({ text, isValid: required.length === 0 }))
  const unknownKey = fc
    .tuple(good, fc.constantFrom("devise", "constructor", "toString", "", "x".repeat(100), "a.b"), fc.jsonValue())
    .map(([value, key, extra]): Params => ({ text: json({ ...value, [key]: extra }), isValid: false }))
  const proto = good.map((value): Params => {
    const text = json(value)
    return { text: `{"__proto__":{"device":"camera0"}${text === "{}" ? "" : ","}${text.slice(1)}`, isValid: false }
  })
  const tooMany = fc.array(fc.jsonValue(), { minLength: inOrder.length + 1, maxLength: inOrder.length + 3 })
  const tooManyPositions = tooMany.map((values): Params => ({ text: json(values), isValid: false }))
  const oneBroken = inOrder.map(([name, schema]) =>
    fc
      .tuple(good, broken(schema))
      .map(([value, wrong]): Params => ({ text: json({ ...value, [name]: wrong }), isValid: false }))
  )
  const oneMissing = required.map(([name]) =>
    good.map((value): Params => {
      const { [name]: _, ...rest } = value
      return { text: json(rest), isValid: false }
    })
  )
  return fc.oneof(
    { weight: 4, arbitrary: fc.oneof(byName, byPosition) },
    { weight: 1, arbitrary: none },
    { weight: 3, arbitrary: fc.oneof(unknownKey, proto, tooManyPositions, ...oneBroken, ...oneMissing) }
  )
}

const codeOf = (name: string): number => contract.errors.find((error) => error.name === name)?.code ?? 0
/** What any method may say before it looks at what it is to do, and those that say it then too. */
const beforehand: Readonly<Record<string, ReadonlyArray<string>>> = {
  AuthFailed: ["authenticate"],
  InvalidParams: [
    ...["take_snapshot", "set_camera_control", "ptz_move", "create_api_key", "set_retention_policy"],
    ...["add_external_stream", "remove_external_stream"],
    // two times that each are one
    ...["get_recorded_spans", "get_recorded_files", "export_recording"]
  ],
  PermissionDenied: ["get_camera_status"],
  RateLimited: ["discover_external_streams"]
}
/** What a method may say to params that fit their schemas. */
const outcomesOf = ({ errors, name }: Method): ReadonlyArray<number | "ok"> => [
  "ok",
  ...errors.filter((error) => beforehand[error]?.includes(name) ?? true).map(codeOf)
]

const callOf = (method: Method): fc.Arbitrary<Call> =>
  fc.tuple(fc.option(ids, { nil: undefined, freq: 6 }), paramsOf(method)).map(([id, params]) => {
    const parts = [
      '"jsonrpc":"2.0"',
      `"method":${json(method.name)}`,
      ...(params.text === undefined ? [] : [`"params":${params.text}`]),
      ...(id === undefined ? [] : [`"id":${id}`])
    ]
    return {
      text: `{${parts.join(",")}}`,
      id,
      method,
      outcomes: (role) => {
        if (method.role !== undefined && role === undefined) return [errorCodes.AuthFailed.code]
        if (method.role !== undefined && role !== undefined && !roleIncludes(role, method.role)) {
          return [errorCodes.PermissionDenied.code]
        }
        return params.isValid ? outcomesOf(method) : [errorCodes.InvalidParams.code]
      }
    }
  })

const fixed = (text: string, id: string | undefined, code: number): Call => ({
  text,
  id,
  method: undefined,
  outcomes: () => [code]
})

const unknownMethod = fc
  .tuple(
    ids,
    fc.oneof(
      fc.constantFrom("", "get_camera_lst", "constructor", "__proto__", "rpc.nothing", "x".repeat(2000), "ping "),
      fc.string().filter((name) => contract.methods.every((method) => method.name !== name))
    )
  )
  .map(([id, name]) => fixed(`{"jsonrpc":"2.0","method":${json(name)},"id":${id}}`, id, -32601))

const brokenEnvelope = fc.oneof(
  fc
    .constantFrom("1", '"ping"', "null", "true", "[]", "[[]]", "{}", '{"foo":"boo"}')
    .map((text) => [text, "null"] as const),
  ids.map((id) => [`{"method":"ping","id":${id}}`, id] as const),
  ids.map((id) => [`{"jsonrpc":"1.0","method":"ping","id":${id}}`, id] as const),
  ids.map((id) => [`{"jsonrpc":2,"method":"ping","id":${id}}`, id] as const),
  ids.map((id) => [`{"jsonrpc":"2.0","method":5,"id":${id}}`, id] as const),
  ids.map((id) => [`{"jsonrpc":"2.0","method":"ping","params":"text","id":${id}}`, id] as const),
  ids.map((id) => [`{"jsonrpc":"2.0","method":"ping","params":1,"id":${id}}`, id] as const),
  fc.constantFrom("true", "{}", "[1]").map((id) => [`{"jsonrpc":"2.0","method":"ping","id":${id}}`, "null"] as const)
)

const response = fc
  .tuple(ids, fc.jsonValue())
  .map(([id, result]) => fixed(`{"jsonrpc":"2.0","result":${json(result)},"id":${id}}`, undefined, 0))

const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 12, arbitrary: fc.oneof(...contract.methods.map(callOf)) },
  { weight: 1, arbitrary: unknownMethod },
  { weight: 1, arbitrary: response },
  // an array alone is a batch
  {
    weight: 1,
    arbitrary: brokenEnvelope.filter(([text]) => !text.startsWith("[")).map(([text, id]) => fixed(text, id, -32600))
  }
)

const batchEntry = fc.oneof(
  call,
  brokenEnvelope.map(([text, id]) => fixed(text, id, -32600))
)

const batch = fc.array(batchEntry, { minLength: 1, maxLength: 6 }).map((calls): Message => ({
  text: `[${calls.map(({ text }) => text).join(",")}]`,
  calls: calls.filter(({ id }) => id !== undefined),
  isBatch: true
}))

const oneReply = (text: string, code: number): Message => ({ text, calls: [fixed(text, "null", code)], isBatch: false })

const notJson = fc
  .tuple(call, fc.nat(), fc.constantFrom("", "\0", "}", "{", '"', ",", "\uFEFF"))
  .map(([{ text }, at, put]) => {
    const cut = at % text.length
    return text.slice(0, cut) + put + text.slice(cut + 1)
  })
  .filter((text) => !isJson(text))
  .map((text) => oneReply(text, -32700))

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const spaced = fc.tuple(call, fc.constantFrom(" ", "\n\t", "\r\n ".repeat(50))).map(([one, space]): Message => ({
  text: `${space}${one.text}${space}`,
  calls: one.id === undefined ? [] : [one],
  isBatch: false
}))

/** What a client may send as one text frame, right or wrong. */
export const message: fc.Arbitrary<Message> = fc.oneof(
  {
    weight: 12,
    arbitrary: call.map((one): Message => ({
      text: one.text,
      calls: one.id === undefined ? [] : [one],
      isBatch: false
    }))
  },
  { weight: 2, arbitrary: batch },
  { weight: 1, arbitrary: spaced },
  { weight: 1, arbitrary: notJson },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      oneReply("[]", -32600),
      oneReply(
        `[${Array.from({ length: maxBatchEntries + 1 }, () => '{"jsonrpc":"2.0","method":"ping"}').join(",")}]`,
        -32600
      ),
      oneReply("", -32700)
    )
  }
)
