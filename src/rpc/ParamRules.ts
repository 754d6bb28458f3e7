import type * as SchemaAST from "effect/SchemaAST"
import type * as SchemaIssue from "effect/SchemaIssue"
import { InvalidParams } from "../../schema/Errors.ts"
import { nearest } from "../config/Nearest.ts"

/**
 * What a client is told about params that break a rule: which one, the whole rule, and what to do. The rule is read
 * from the schema, not from the value, so that nothing a client sent is repeated (it may be a secret, or endless).
 */

/** One that the method does not know, with the one that was probably meant. */
export const unknownParam = (ast: SchemaAST.AST, param: string): InvalidParams => {
  const known = names(ast)
  const near = nearest(param, known)
  return new InvalidParams({
    // a name may be as long as a frame
    param: param.length > 64 ? `${param.slice(0, 64)}…` : param,
    rule: "unknown parameter",
    hint: near === undefined ? takes(ast) : `did you mean ${near}?`
  })
}

/** Params by position, more than the `most` that there are. */
export const tooManyParams = (ast: SchemaAST.AST, most: number): InvalidParams =>
  new InvalidParams({ param: `params[${most}]`, rule: "unknown parameter", hint: takes(ast) })

/** The first broken rule of an issue that decoding `params` as `ast` ended with. */
export const brokenRule = (ast: SchemaAST.AST, issue: SchemaIssue.Issue, params: unknown): InvalidParams => {
  const { leaf, path } = firstLeaf(issue)
  const { description, type } = typeAt(ast, path)
  if (leaf._tag === "UnexpectedKey") {
    const parent = typeAt(ast, path.slice(0, -1)).type
    const { hint, rule } = unknownParam(parent ?? ast, String(path.at(-1)))
    return new InvalidParams({ param: pathText(path), rule, hint })
  }
  const rule = type === undefined ? "a value of another type" : ruleOf(type)
  const near = type === undefined ? undefined : nearestLiteral(type, valueAt(params, path))
  return new InvalidParams({
    param: pathText(path),
    rule: leaf._tag === "MissingKey" ? `required: ${rule}` : rule,
    hint: near === undefined ? (description ?? takes(ast)) : `did you mean ${near}?`
  })
}

const valueAt = (params: unknown, path: ReadonlyArray<PropertyKey>): unknown =>
  path.reduce<unknown>((at, step) => (at as Record<PropertyKey, unknown> | undefined)?.[step], params)

/** Where one of several words is asked for: the one that was meant. */
const nearestLiteral = (type: SchemaAST.AST, value: unknown): string | undefined => {
  if (typeof value !== "string" || type._tag !== "Union") return undefined
  const words = type.types.flatMap((member) =>
    member._tag === "Literal" && typeof member.literal === "string" ? [member.literal] : []
  )
  return nearest(value, words)
}

const firstLeaf = (issue: SchemaIssue.Issue): { leaf: SchemaIssue.Issue; path: ReadonlyArray<PropertyKey> } => {
  const path: Array<PropertyKey> = []
  let at = issue
  for (;;) {
    if (at._tag === "Pointer") {
      path.push(...at.path)
      at = at.issue
    } else if (at._tag === "Filter" || at._tag === "Encoding") at = at.issue
    else if (at._tag === "Composite") at = at.issues[0]
    else return { leaf: at, path }
  }
}

/** `filters.device`, `topics[0]`; an empty path is the params as a whole. */
const pathText = (path: ReadonlyArray<PropertyKey>): string => {
  let text = ""
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`
    else text += text === "" ? String(step) : `.${String(step)}`
  }
  return text === "" ? "params" : text
}

/** The schema of what lies at this path; `description` is what its author says of it. */
const typeAt = (
  ast: SchemaAST.AST,
  path: ReadonlyArray<PropertyKey>
): { readonly type: SchemaAST.AST | undefined; readonly description: string | undefined } => {
  let type: SchemaAST.AST | undefined = ast
  for (const step of path) {
    if (type?._tag === "Objects") type = type.propertySignatures.find(({ name }) => name === step)?.type
    else if (type?._tag === "Arrays") type = type.elements[Number(step)] ?? type.rest[0]
    else type = undefined
  }
  const description = type?.context?.annotations?.["description"] ?? type?.checks?.at(-1)?.annotations?.["description"]
  const own = description ?? type?.annotations?.["description"]
  return { type, description: typeof own === "string" ? own : undefined }
}

/** The whole rule of a type: what its last check expects (the most particular), else what kind of value it is. */
const ruleOf = (type: SchemaAST.AST): string => {
  const expected = type.checks?.at(-1)?.annotations?.["expected"]
  if (typeof expected === "string") return expected
  switch (type._tag) {
    case "String":
      return "a text"
    case "Number":
      return "a number"
    case "Boolean":
      return "true or false"
    case "Arrays":
      return "a list"
    case "Objects":
      return "an object"
    case "Literal":
      return JSON.stringify(type.literal)
    case "Union": {
      const members = type.types.map(ruleOf)
      return type.types.every(({ _tag }) => _tag === "Literal") ? `one of ${members.join(", ")}` : members.join(", or ")
    }
    default:
      return "a value of another type"
  }
}

const names = (ast: SchemaAST.AST): ReadonlyArray<string> =>
  ast._tag === "Objects" ? ast.propertySignatures.map(({ name }) => String(name)) : []

const takes = (ast: SchemaAST.AST): string => {
  if (ast._tag !== "Objects" || ast.propertySignatures.length === 0) return "it takes no parameters"
  const list = ast.propertySignatures.map(({ name, type }) =>
    type.context?.isOptional === true ? `${String(name)}?` : String(name)
  )
  return `it takes ${list.join(", ")}`
}
