import * as Cause from "effect/Cause"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaJITCompiler from "effect/schema/SchemaJITCompiler"
import * as SchemaAST from "effect/SchemaAST"
import type * as Rpc from "effect/rpc/Rpc"
import { InvalidParams } from "../../schema/Errors.ts"
import { brokenRule, tooManyParams, unknownParam } from "./ParamRules.ts"
import { InvalidPayload } from "./Validation.ts"

/** One method on the wire: JSON params to a payload, a result to JSON text. */
export interface Method {
  readonly name: string
  /** the payload, or an `InvalidPayload` that tells what is wrong; never throws */
  readonly decode: (params: unknown) => unknown
  /**
   * The JSON text of a result; throws when it does not fit the schema. Results are immutable: the same object given
   * again costs no encoding, so a service that keeps its list until it changes pays for it once.
   */
  readonly encode: (result: unknown) => string
}

export const makeMethods = (rpcs: Iterable<Rpc.Any>): ReadonlyMap<string, Method> =>
  new Map(Array.from(rpcs, (rpc) => [rpc._tag, makeMethod(rpc as Rpc.AnyWithProps)]))

const makeMethod = (rpc: Rpc.AnyWithProps): Method => ({
  name: rpc._tag,
  decode: makeDecode(rpc.payloadSchema),
  encode: makeEncode(rpc.successSchema)
})

/** The names of a method's params in the order of openrpc.json: those that are required first. */
const paramNames = (ast: SchemaAST.AST): ReadonlyArray<string> => {
  if (ast._tag !== "Objects") return []
  const isOptional = ({ type }: SchemaAST.PropertySignature) => type.context?.isOptional === true
  const [required, optional] = [false, true].map((wanted) =>
    ast.propertySignatures.filter((property) => isOptional(property) === wanted)
  )
  return [...(required ?? []), ...(optional ?? [])].map(({ name }) => String(name))
}

/**
 * A method's schemas need no services: the contract imports none. Those that are asked for again and again are compiled; for
 * all that is decoded once, at the start, compiling would take longer (30 ms) than decoding.
 */
const codec = (schema: Schema.Top) => {
  const json = Schema.toCodecJson(schema as Schema.Codec<unknown, unknown>)
  SchemaJITCompiler.enable(json.ast)
  SchemaJITCompiler.enable(SchemaAST.flip(json.ast))
  return json
}

const makeDecodeExit = (schema: Schema.Top) => Schema.decodeUnknownExit(codec(schema), { onExcessProperty: "error" })

const makeDecode = (schema: Schema.Top): Method["decode"] => {
  const { ast } = schema
  const names = paramNames(ast)
  const known = new Set(names)
  let decodeExit: ReturnType<typeof makeDecodeExit> | undefined
  return (given) => {
    if (Array.isArray(given) && given.length > names.length) return new InvalidPayload(tooManyParams(ast, names.length))
    const params = Array.isArray(given) ? byName(names, given) : (given ?? {})
    // the schema of no params at all accepts any object: keys are checked here
    for (const key in params) if (!known.has(key)) return new InvalidPayload(unknownParam(ast, key))
    if (known.size === 0) return params
    const exit = (decodeExit ??= makeDecodeExit(schema))(params)
    if (exit._tag === "Success") return exit.value
    const error = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
    return new InvalidPayload(
      error === undefined
        ? new InvalidParams({ param: "params", rule: "decodable", hint: "pass simpler values" })
        : brokenRule(ast, error.issue, params)
    )
  }
}

/** Params by position; null stands for one that is left out, as JSON writes what a client leaves undefined. */
const byName = (names: ReadonlyArray<string>, given: ReadonlyArray<unknown>): object =>
  Object.fromEntries(
    names.flatMap((name, at) => (given[at] === undefined || given[at] === null ? [] : [[name, given[at]]]))
  )

const makeEncode = (schema: Schema.Top): Method["encode"] => {
  let encodeSync: ((result: unknown) => unknown) | undefined
  const encode = (result: unknown): string =>
    JSON.stringify((encodeSync ??= Schema.encodeUnknownSync(codec(schema)))(result)) ?? "null"
  const texts = new WeakMap<object, string>()
  let last: { readonly result: unknown; readonly text: string } | undefined
  return (result) => {
    if (typeof result !== "object" || result === null) {
      if (last?.result !== result) last = { result, text: encode(result) }
      return last?.text ?? "null"
    }
    let text = texts.get(result)
    if (text === undefined) {
      text = encode(result)
      texts.set(result, text)
    }
    return text
  }
}
