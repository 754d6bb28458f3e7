import { roles } from "../schema/Auth.ts"
import type { Contract, JsonSchema } from "./contract.ts"
import { exampleOf } from "./examples.ts"

/**
 * Makes what gives a schema, and all that is in it, titles. Generators name types by them, and some of them follow no
 * references where one is allowed: every schema stands where it is used.
 */
const makeTitled = (definitions: Contract["definitions"]) => {
  const entriesOf = (
    schemas: Readonly<Record<string, JsonSchema>>,
    titleOf: (name: string) => string,
    inside: Inside
  ) =>
    Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, titled(schema, titleOf(name), inside)]))

  const titled = (schema: JsonSchema, title: string, inside: Inside = []): JsonSchema => {
    if (schema.$ref !== undefined) {
      const name = schema.$ref.replace("#/$defs/", "")
      if (inside.includes(name)) throw new Error(`${name} contains itself: openrpc.json has no references`)
      const { $ref: _, ...own } = schema
      return { ...titled(definitions[name] ?? {}, name, [...inside, name]), ...own }
    }
    const { additionalProperties, anyOf, items, patternProperties, properties } = schema
    const [only] = anyOf ?? []
    // a choice of one
    if (only !== undefined && anyOf?.length === 1) {
      return titled({ ...only, ...without(schema, "anyOf") }, title, inside)
    }
    const ofItem = title.endsWith("s") ? title.slice(0, -1) : `${title}Item`
    const ofValue = `${title}Value`
    return {
      title,
      ...schema,
      ...(anyOf && { anyOf: anyOf.map((member) => titled(member, title + pascal(kindOf(member)), inside)) }),
      ...(items && { items: titled(items, ofItem, inside) }),
      ...(properties && { properties: entriesOf(properties, (name) => title + pascal(name), inside) }),
      ...(patternProperties && { patternProperties: entriesOf(patternProperties, () => ofValue, inside) }),
      ...(typeof additionalProperties === "object"
        ? { additionalProperties: titled(additionalProperties, ofValue, inside) }
        : {})
    }
  }
  return titled
}

/** The names of the definitions that something stands in. */
type Inside = ReadonlyArray<string>

/** The contract as an OpenRPC document (https://spec.open-rpc.org, 1.3.2). */
export const openRpc = ({ definitions, errors, methods, notifications }: Contract): unknown => {
  const titled = makeTitled(definitions)
  const errorObjects = new Map(
    errors.map(({ code, data, message, name }) => [name, { code, message, data: exampleOf(data, definitions, name) }])
  )

  const methodObject = ({ description, errors, name, params, result, role }: Contract["methods"][number]) => {
    const given = paramsOf(params)
    return {
      name,
      summary: description,
      tags: [{ name: role ?? "anybody", description: role === undefined ? anybody : `a ${role} may call it` }],
      "x-required-role": role ?? "none",
      paramStructure: "either",
      params: given.map(({ required, schema, name: param }) => ({
        name: param,
        ...(schema.description === undefined ? {} : { description: schema.description }),
        required,
        schema: titled(schema, pascal(name) + pascal(param))
      })),
      result: { name: `${name}_result`, schema: titled(result, `${pascal(name)}Result`) },
      errors: errors.map((error) => errorObjects.get(error)),
      examples: [
        {
          name: `${name}_example`,
          description,
          params: given
            .filter(({ required }) => required)
            .map(({ name: param, schema }) => ({ name: param, value: exampleOf(schema, definitions, name, param) })),
          result: { name: `${name}_result`, value: exampleOf(result, definitions, name) }
        }
      ]
    }
  }

  return {
    openrpc: "1.3.2",
    info: {
      title: "camera-service",
      version: "1.0.0",
      description: [
        "JSON-RPC 2.0 over WebSocket (/ws), one text frame a message. Authenticate first, with authenticate or a Bearer",
        `token when connecting. Roles: ${roles.join(" < ")}. x-notifications are what the server sends unasked.`
      ].join(" "),
      license: { name: "MIT" }
    },
    servers: [{ name: "this machine", summary: "where it listens by default", url: "ws://127.0.0.1:8002/ws" }],
    methods: methods.filter(({ name }) => name !== "rpc.discover").map(methodObject),
    "x-notifications": notifications.map(({ description, name, params }) => ({
      name,
      summary: description,
      params: titled(params, pascal(name)),
      example: exampleOf(params, definitions, name)
    })),
    components: {
      errors: Object.fromEntries(errorObjects),
      schemas: Object.fromEntries(errors.map(({ data, name }) => [`${name}Data`, titled(data, `${name}Data`)]))
    }
  }
}

const anybody = "anybody may call it, authenticated or not"

/** In their order by position: what is required comes first. */
const paramsOf = ({ properties, required }: JsonSchema) =>
  Object.entries(properties ?? {})
    .map(([name, schema]) => ({ name, schema, required: required?.includes(name) === true }))
    .sort((a, b) => Number(b.required) - Number(a.required))

/** `get_camera_list` as `GetCameraList`. */
const pascal = (name: string): string =>
  name
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("")

const kindOf = ({ $ref, type }: JsonSchema): string => $ref?.replace("#/$defs/", "") ?? type ?? "choice"

const without = (schema: JsonSchema, key: keyof JsonSchema): JsonSchema => {
  const { [key]: _, ...rest } = schema
  return rest
}
