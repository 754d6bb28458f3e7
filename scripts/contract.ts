import * as Context from "effect/Context"
import * as Schema from "effect/Schema"
import type * as Rpc from "effect/rpc/Rpc"
import { RequiredRole, type Role } from "../schema/Auth.ts"
import { CameraRpcs } from "../schema/CameraRpcs.ts"
import { descriptions } from "../schema/Descriptions.ts"
import { ServiceError } from "../schema/Errors.ts"
import { notifications } from "../schema/Event.ts"
import { errorCodes } from "../schema/JsonRpc.ts"

/** The contract as JSON Schema (draft 2020-12), read from `schema/`; what openrpc.json and types.ts are made of. */
export interface Contract {
  readonly methods: ReadonlyArray<Method>
  readonly notifications: ReadonlyArray<{
    readonly name: string
    readonly description: string
    readonly params: JsonSchema
  }>
  readonly errors: ReadonlyArray<{
    readonly name: string
    readonly code: number
    readonly message: string
    readonly data: JsonSchema
  }>
  /** the schemas that have a name; `#/$defs/NAME` refers to them */
  readonly definitions: Readonly<Record<string, JsonSchema>>
}

export interface Method {
  readonly name: string
  readonly description: string
  /** undefined: anybody */
  readonly role: Role | undefined
  readonly params: JsonSchema
  readonly result: JsonSchema
  /** names of `errors` */
  readonly errors: ReadonlyArray<string>
}

/** The part of JSON Schema that Effect Schema writes for this contract. */
export interface JsonSchema {
  readonly $ref?: string
  readonly title?: string
  readonly type?: string
  readonly description?: string
  readonly enum?: ReadonlyArray<string | number | boolean>
  readonly anyOf?: ReadonlyArray<JsonSchema>
  readonly allOf?: ReadonlyArray<JsonSchema>
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: ReadonlyArray<string>
  readonly additionalProperties?: boolean | JsonSchema
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>
  readonly minItems?: number
  readonly items?: JsonSchema
  readonly examples?: ReadonlyArray<unknown>
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
}

export const readContract = (): Contract => {
  const definitions: Record<string, JsonSchema> = {}
  const read = (schema: Schema.Top): JsonSchema => {
    const document = Schema.toJsonSchemaDocument(schema)
    for (const [name, definition] of Object.entries(document.definitions)) {
      definitions[name] = tidy(definition as JsonSchema)
    }
    return tidy(document.schema as JsonSchema)
  }
  return {
    methods: Array.from(CameraRpcs.requests.values(), (rpc) => readMethod(rpc as unknown as Rpc.AnyWithProps, read)),
    notifications: Object.entries(notifications).map(([name, params]) => ({
      name,
      description: describe(name),
      params: read(params)
    })),
    errors: ServiceError.members.map((member) => {
      const { _tag, ...fields } = member.fields
      const name = _tag.schema.literal
      const { code, message } = errorCodes[name]
      return { name, code, message, data: read(Schema.Struct(fields as Schema.Struct.Fields)) }
    }),
    definitions
  }
}

const readMethod = (rpc: Rpc.AnyWithProps, read: (schema: Schema.Top) => JsonSchema): Method => {
  const params = read(rpc.payloadSchema)
  const failures = [rpc.errorSchema, ...Array.from(rpc.middlewares, ({ error }) => error)]
  return {
    name: rpc._tag,
    description: describe(rpc._tag),
    role: Context.get(rpc.annotations, RequiredRole),
    // an unknown key is refused, whatever the schema of the params alone would let pass
    params: { ...params, type: "object", properties: params.properties ?? {}, additionalProperties: false },
    result: read(rpc.successSchema),
    errors: Array.from(new Set(failures.flatMap(tagsOf))).sort()
  }
}

const describe = (name: string): string => {
  const description = descriptions[name]
  if (description === undefined) throw new Error(`schema/Descriptions.ts does not say what ${name} does`)
  return description
}

/** The names of the typed errors in a schema: one error, or a union of them. */
const tagsOf = (error: Schema.Top): ReadonlyArray<string> =>
  Object.values(Schema.toJsonSchemaDocument(error).definitions).flatMap((definition) => {
    const tag = (definition as JsonSchema).properties?.["_tag"]
    return (tag?.enum ?? []).map(String)
  })

/** Without what no reader needs: the bounds of every integer, and that there may be more keys (the default). */
const tidy = (schema: JsonSchema): JsonSchema => {
  const {
    additionalProperties,
    allOf,
    maximum,
    minimum,
    not: _,
    ...rest
  } = schema as JsonSchema & { readonly not?: unknown }
  const merged: JsonSchema = Object.assign({}, rest, ...(allOf ?? []).map(tidy))
  return {
    ...merged,
    ...(minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? {} : { minimum }),
    ...(maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? {} : { maximum }),
    ...(merged.anyOf === undefined ? {} : { anyOf: merged.anyOf.map(tidy) }),
    ...(merged.items === undefined ? {} : { items: tidy(merged.items) }),
    ...(merged.properties === undefined ? {} : { properties: each(merged.properties, tidy) }),
    ...(merged.patternProperties === undefined ? {} : { patternProperties: each(merged.patternProperties, tidy) }),
    ...(typeof additionalProperties === "object" ? { additionalProperties: tidy(additionalProperties) } : {})
  }
}

const each = (
  schemas: Readonly<Record<string, JsonSchema>>,
  change: (schema: JsonSchema) => JsonSchema
): Readonly<Record<string, JsonSchema>> =>
  Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, change(schema)]))
