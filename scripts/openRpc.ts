import type { Contract, JsonSchema } from "./contract.ts"

/** The contract as an OpenRPC document (https://spec.open-rpc.org, 1.3.2). */
export const openRpc = ({ definitions, errors, methods, notifications }: Contract): unknown => ({
  openrpc: "1.3.2",
  info: {
    title: "camera-service",
    version: "1.0.0",
    description: "JSON-RPC 2.0 over WebSocket (/ws), one text frame a message. Written by scripts/generate."
  },
  methods: methods.map(({ errors, name, params, result, role }) => ({
    name,
    "x-required-role": role ?? "none",
    paramStructure: "by-name",
    params: paramsOf(params),
    result: { name: `${name}_result`, schema: moved(result) },
    errors: errors.map((error) => ({ $ref: `#/components/errors/${error}` }))
  })),
  "x-notifications": notifications.map(({ name, params }) => ({ name, params: moved(params) })),
  components: {
    errors: Object.fromEntries(
      errors.map(({ code, data, message, name }) => [name, { code, message, data: moved(data) }])
    ),
    schemas: Object.fromEntries(Object.entries(definitions).map(([name, schema]) => [name, moved(schema)]))
  }
})

const paramsOf = ({ properties, required }: JsonSchema): unknown =>
  Object.entries(properties ?? {})
    .map(([name, { description, ...schema }]) => ({
      name,
      description,
      required: required?.includes(name) === true,
      schema: moved(schema)
    }))
    // OpenRPC: what is required comes first
    .sort((a, b) => Number(b.required) - Number(a.required))

/** OpenRPC keeps shared schemas under `components`. */
const moved = (schema: JsonSchema): unknown =>
  JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/'))
