import { assert, describe, it } from "@effect/vitest"
import { Ajv2020 } from "ajv/dist/2020.js"
import * as Effect from "effect/Effect"
import { parse } from "yaml"
import schema from "../../schema/generated/config.json" with { type: "json" }
import { keys, standard } from "../../src/config/Keys.ts"
import { configurationOf } from "../../src/config/Load.ts"

// strict: an unknown keyword would be an error, too
const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true })
const validate = ajv.compile(schema)

/** How often an editor would complain. */
const complaints = (text: string): number => (validate(parse(text)) ? 0 : (validate.errors ?? []).length)

const nested = (key: string, value: unknown): string => {
  const [section = "", inner] = key.split(".")
  return JSON.stringify(inner === undefined ? { [section]: value } : { [section]: { [inner]: value } })
}

const propertiesOf = (object: unknown) =>
  (object as { readonly properties: Readonly<Record<string, object>> }).properties

/** What no key takes, by the type of its default. */
const bad: Readonly<Record<string, ReadonlyArray<unknown>>> = {
  string: [7, null, ["a"]],
  number: ["7", -1, 1e9, null],
  boolean: ["true", 1, null],
  object: ["a", [7], null]
}

describe("the JSON Schema of the configuration", () => {
  it("is a schema of draft 2020-12", () => {
    assert.isTrue(ajv.validateSchema(schema))
  })

  it("has a description and the default of every key, and the default is valid", () => {
    for (const key of keys) {
      const [section = "", inner] = key.key.split(".")
      const outer = propertiesOf(schema)[section]
      const found = inner === undefined ? outer : propertiesOf(outer)[inner]
      assert.deepInclude(found ?? {}, { default: standard(key) })
      assert.include(JSON.stringify(found), JSON.stringify(key.meaning).slice(1, -1))
      assert.strictEqual(complaints(nested(key.key, standard(key))), 0, key.key)
    }
  })

  for (const key of keys) {
    const values = bad[typeof standard(key)] ?? []
    it.effect(`refuses of ${key.key} what the service refuses: ${JSON.stringify(values)}`, () =>
      Effect.gen(function* () {
        assert.isNotEmpty(values)
        for (const value of values) {
          const text = nested(key.key, value)
          assert.isAbove(complaints(text), 0, text)
          yield* Effect.flip(configurationOf(text, { file: "camera.yml", environment: {} }))
        }
      })
    )
  }

  const texts = [
    ["", true],
    ["server:", true],
    ["server: { port: 9000, host: '::1', allowed_origins: ['https://a.example:8443'] }", true],
    ["server: { prot: 9000 }", false],
    ["serve: {}", false],
    ["server: 5", false],
    ["server: { host: '0.0.0.0:8002' }", false],
    ["server: { allowed_origins: ['*'] }", false],
    ["server: { allowed_origins: ['https://a.example/'] }", false],
    ["telemetry: { otlp_endpoint: 'localhost:4318' }", false],
    ["telemetry: { otlp_endpoint: 'http://localhost:4318' }", true],
    ["data_dir: ~/cameras", false],
    ["codec: { profile: h265 }", false],
    ["auth: { jwt_secret: short }", false],
    ["streams: { stall_seconds: 2.5 }", true]
  ] as const
  for (const [text, isGood] of texts) {
    it.effect(`${isGood ? "takes" : "refuses"} ${JSON.stringify(text)}, as the service does`, () =>
      Effect.gen(function* () {
        assert.strictEqual(complaints(text) === 0, isGood)
        const loaded = yield* Effect.result(configurationOf(text, { file: "camera.yml", environment: {} }))
        assert.strictEqual(loaded._tag === "Success", isGood)
      })
    )
  }
})
