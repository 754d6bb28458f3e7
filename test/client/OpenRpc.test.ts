import { describe, expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import type * as Rpc from "effect/rpc/Rpc"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { CameraRpcs } from "../../schema/CameraRpcs.ts"
import { ServiceError } from "../../schema/Errors.ts"
import { notifications } from "../../schema/Event.ts"
import { errorCodes } from "../../schema/JsonRpc.ts"

// its types are sources, which our compiler would check
const { validateOpenRPCDocument } = createRequire(import.meta.url)("@open-rpc/schema-utils-js") as {
  readonly validateOpenRPCDocument: (document: unknown) => true | Error
}

interface Descriptor {
  readonly name: string
  readonly required?: boolean
  readonly schema: object
}

interface MethodObject {
  readonly name: string
  readonly summary: string
  readonly "x-required-role": string
  readonly paramStructure: string
  readonly params: ReadonlyArray<Descriptor>
  readonly result: Descriptor
  readonly errors: ReadonlyArray<{ readonly code: number; readonly message: string; readonly data: object }>
  readonly examples: ReadonlyArray<{
    readonly params: ReadonlyArray<{ readonly name: string; readonly value: unknown }>
    readonly result: { readonly value: unknown }
  }>
}

interface OpenRpcDocument {
  readonly servers: ReadonlyArray<{ readonly url: string }>
  readonly methods: ReadonlyArray<MethodObject>
  readonly "x-notifications": ReadonlyArray<{
    readonly name: string
    readonly params: object
    readonly example: unknown
  }>
}

const text = readFileSync(join(import.meta.dirname, "../../schema/generated/openrpc.json"), "utf8")
const document = JSON.parse(text) as OpenRpcDocument
const { methods } = document
const methodNamed = (name: string) => methods.find((method) => method.name === name)

/** Reads a value by a schema of the contract; throws where it does not fit. */
const read = (schema: Schema.Top, value: unknown) =>
  Schema.decodeUnknownSync(Schema.toCodecJson(schema as Schema.Codec<unknown>), { onExcessProperty: "error" })(value)

const rpcNamed = (name: string): Rpc.AnyWithProps => {
  const rpc = CameraRpcs.requests.get(name)
  if (rpc === undefined) throw new Error(`${name} is no method`)
  return rpc as unknown as Rpc.AnyWithProps
}

describe("openrpc.json", () => {
  it("is what the meta schema of OpenRPC allows, by its own tool", () => {
    expect(validateOpenRPCDocument(JSON.parse(text))).toBe(true)
    expect(validateOpenRPCDocument({ ...JSON.parse(text), methods: [{ name: 1 }] })).not.toBe(true)
  })

  it("knows every method but the one that gives it, who may call it, and how params may be passed", () => {
    const names = [...CameraRpcs.requests.keys()].filter((name) => name !== "rpc.discover")
    expect(methods.map(({ name }) => name)).toEqual(names)
    expect(methodNamed("take_snapshot")).toMatchObject({
      "x-required-role": "operator",
      paramStructure: "either",
      params: [{ name: "device", required: true }, { name: "filename", required: false }, {}, {}, {}, {}]
    })
    expect(methodNamed("ping")?.["x-required-role"]).toBe("none")
    expect(document.servers).toMatchObject([{ url: "ws://127.0.0.1:8002/ws" }])
  })

  it("has only the errors that a method can give, in their words, with data as a client gets them", () => {
    const codesOf = (name: string) =>
      methodNamed(name)
        ?.errors.map(({ code }) => code)
        .sort()
    expect(codesOf("ping")).toEqual([-32040, -32602])
    expect(codesOf("get_camera_list")).toEqual([-32001, -32002, -32040, -32602])
    expect(codesOf("add_external_stream")).toEqual([-32001, -32002, -32020, -32030, -32040, -32050, -32602])
    for (const { errors } of methods) {
      for (const { code, data, message } of errors) {
        const [tag, words] = Object.entries(errorCodes).find(([, known]) => known.code === code) ?? []
        expect(message).toBe(words?.message)
        expect(() => read(ServiceError, { _tag: tag, ...data })).not.toThrow()
      }
    }
  })

  it.each(methods)("says in a sentence what $name does, and shows it by an example that fits", (method) => {
    const { examples, name, summary } = method
    expect(summary).toMatch(/^[A-Z].*\.$/)
    const rpc = rpcNamed(name)
    for (const { params, result } of examples) {
      expect(() =>
        read(rpc.payloadSchema, Object.fromEntries(params.map(({ name: param, value }) => [param, value])))
      ).not.toThrow()
      expect(() => read(rpc.successSchema, result.value)).not.toThrow()
    }
    expect(examples).toHaveLength(1)
  })

  it.each(document["x-notifications"])("shows $name by an example that fits", ({ example, name }) => {
    expect(() => read(notifications[name as keyof typeof notifications], example)).not.toThrow()
  })

  it("has a title on every schema, one for one shape, and nothing that has to be looked up elsewhere", () => {
    expect(text).not.toContain('"$ref"')
    const shapes = new Map<string, string>()
    const look = (schema: Readonly<Record<string, unknown>>) => {
      const { title, description: _, ...shape } = schema
      expect(title, JSON.stringify(schema)).toMatch(/^[A-Z][A-Za-z0-9]+$/)
      const before = shapes.get(String(title))
      if (before !== undefined) expect(JSON.stringify(shape), String(title)).toBe(before)
      shapes.set(String(title), JSON.stringify(shape))
      const { additionalProperties, anyOf = [], items, properties = {} } = schema as Record<string, object>
      const inner = [...Object.values(properties), ...Object.values(anyOf), items, additionalProperties]
      for (const one of inner) if (typeof one === "object") look(one as Readonly<Record<string, unknown>>)
    }
    for (const { params, result } of methods) {
      for (const { schema } of [...params, result]) look(schema as Readonly<Record<string, unknown>>)
    }
    for (const { params } of document["x-notifications"]) look(params as Readonly<Record<string, unknown>>)
  })
})
