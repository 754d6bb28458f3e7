import type { Contract, JsonSchema } from "./contract.ts"

/** The contract as plain TypeScript: for clients that use no Effect. */
export const typesText = ({ definitions, errors, methods, notifications }: Contract): string =>
  [
    "// Written by scripts/generate from schema/; do not edit.",
    "",
    ...Object.entries(definitions).map(
      ([name, schema]) => `${comment(schema, "")}export type ${name} = ${typeOf(schema, "")}\n`
    ),
    "/** Every method, by its name on the wire. */",
    "export interface Methods {",
    ...methods.flatMap(({ description, name, params, result, role }) => [
      `  /** ${description} ${role === undefined ? "Anybody may call it." : `Role: ${role}.`} */`,
      `  ${keyOf(name)}: {`,
      `    params: ${typeOf(params, "    ")}`,
      `    result: ${typeOf(result, "    ")}`,
      "  }"
    ]),
    "}",
    "",
    "/** What the server sends unasked: the params, by method. */",
    "export interface Notifications {",
    ...notifications.flatMap(({ description, name, params }) => [
      `  /** ${description} */`,
      `  ${name}: ${typeOf(params, "  ")}`
    ]),
    "}",
    "",
    "/** `error.data`, by `error.code`. */",
    "export interface Errors {",
    ...errors.flatMap(({ code, data, message }) => [`  /** ${message} */`, `  [${code}]: ${typeOf(data, "  ")}`]),
    "}",
    ""
  ].join("\n")

const typeOf = (schema: JsonSchema, indent: string): string => {
  if (schema.$ref !== undefined) return schema.$ref.replace("#/$defs/", "")
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ")
  if (schema.anyOf !== undefined) return schema.anyOf.map((member) => typeOf(member, indent)).join(" | ")
  switch (schema.type) {
    case "string":
    case "boolean":
    case "null":
      return schema.type
    case "number":
    case "integer":
      return "number"
    case "array":
      return `Array<${typeOf(schema.items ?? {}, indent)}>`
    case "object":
      return objectType(schema, indent)
    default:
      return "unknown"
  }
}

const objectType = ({ additionalProperties, properties, required }: JsonSchema, indent: string): string => {
  const entries = Object.entries(properties ?? {})
  if (entries.length === 0) {
    if (typeof additionalProperties === "object") return `Record<string, ${typeOf(additionalProperties, indent)}>`
    return "Record<string, never>"
  }
  const inner = `${indent}  `
  const lines = entries.map(
    ([name, value]) =>
      `${comment(value, inner)}${inner}${name}${required?.includes(name) === true ? "" : "?"}: ${typeOf(value, inner)}`
  )
  return ["{", ...lines, `${indent}}`].join("\n")
}

/** `rpc.discover` is no identifier. */
const keyOf = (name: string): string => (/^[A-Za-z_]+$/.test(name) ? name : JSON.stringify(name))

/** A line of its own above what it describes, or nothing. */
const comment = ({ description }: JsonSchema, indent: string): string =>
  description === undefined ? "" : `${indent}/** ${description} */\n`
