import * as fc from "fast-check"
import type { JsonSchema } from "../../scripts/contract.ts"
import { readContract } from "../../scripts/contract.ts"

export const contract = readContract()

/** What attackers try, and what no parser likes. None of it is a camera's name, a file's name, or a URL. */
const hostileTexts = [
  "",
  " ",
  "../../etc/passwd",
  "..%2f..%2fsecrets",
  "/dev/video0",
  "camera0\n",
  "camera-1",
  "camera99999999999",
  "CAMERA0",
  "camera0; reboot",
  "$(reboot)",
  "-version",
  ".hidden",
  "a/b.jpg",
  "a\\b.jpg",
  "a\0.jpg",
  "' OR 1=1 --",
  "<script>alert(1)</script>",
  "%s%s%n",
  "\u202Egpj.exe",
  "\uD800",
  "é".repeat(200),
  "x".repeat(5000)
]

/** Of each kind that has a rule some: made of its pattern they would take seconds. */
const goodTexts = [
  "0123456789ab",
  "camera0",
  "camera0",
  "camera0",
  "camera1",
  "camera7",
  "camera123456789",
  "a.jpg",
  "b.png",
  "c.mp4",
  "camera0_2026-05-17_09-30-00_000000.jpg",
  "x".repeat(128),
  "2026-05-17T09:30:00Z",
  "2026-05-17T11:30:00.5+01:00",
  "9999-99-99T99:99Z",
  "rtsp://192.168.42.10:8554/video",
  "https://user:password@cam.example/onvif?a=b#c",
  "UAV 7 \u{1F681}"
]

const anything: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(...hostileTexts, null, true, 0, -1, 1.5, 1e308, 9007199254740994, [], {}, [[]], { a: 1 }),
  fc.jsonValue({ maxDepth: 3 })
)

const resolve = (schema: JsonSchema): JsonSchema =>
  schema.$ref === undefined ? schema : resolve(contract.definitions[schema.$ref.replace("#/$defs/", "")] ?? {})

/** A value that the schema allows. */
export const valid = (given: JsonSchema): fc.Arbitrary<unknown> => {
  const schema = resolve(given)
  const { anyOf, items, maximum, minItems = 0, minimum, pattern, properties, required = [], type } = schema
  if (schema.enum !== undefined) return fc.constantFrom<unknown>(...schema.enum)
  if (anyOf !== undefined) return fc.oneof(...anyOf.map(valid))
  switch (type) {
    case "string":
      if (pattern === undefined) return fc.string()
      return fc.constantFrom(...goodTexts.filter((text) => fits(text, schema)))
    case "integer":
      return fc.integer({ min: minimum ?? -(2 ** 31), max: maximum ?? 2 ** 31 })
    case "number":
      return fc.double({ noNaN: true, noDefaultInfinity: true, min: minimum ?? -1e308, max: maximum ?? 1e308 })
    case "boolean":
      return fc.boolean()
    case "null":
      return fc.constant(null)
    case "array":
      return fc.array(valid(items ?? {}), { minLength: minItems, maxLength: 4 })
    default:
      return fc.record(
        Object.fromEntries(Object.entries(properties ?? {}).map(([name, inner]) => [name, valid(inner)])),
        { requiredKeys: [...required], noNullPrototype: true }
      )
  }
}

/** A value that it does not. */
export const broken = (schema: JsonSchema): fc.Arbitrary<unknown> => anything.filter((value) => !fits(value, schema))

/** Whether the schema allows this value: JSON Schema as far as the contract uses it, read once more. */
const fits = (value: unknown, given: JsonSchema): boolean => {
  const schema = resolve(given)
  const {
    anyOf,
    items,
    maximum = Infinity,
    minimum = -Infinity,
    pattern,
    properties = {},
    required = [],
    type
  } = schema
  if (schema.enum !== undefined) return schema.enum.some((member) => member === value)
  if (anyOf !== undefined) return anyOf.some((member) => fits(value, member))
  switch (type) {
    case "string":
      return typeof value === "string" && (pattern === undefined || new RegExp(pattern, "u").test(value))
    case "integer":
      return Number.isSafeInteger(value) && Number(value) >= minimum && Number(value) <= maximum
    case "number":
      return typeof value === "number" && value >= minimum && value <= maximum
    case "boolean":
      return typeof value === "boolean"
    case "null":
      return value === null
    case "array":
      return Array.isArray(value) && value.every((item) => fits(item, items ?? {}))
    default:
      return (
        typeof value === "object" &&
        value !== null &&
        !Array.isArray(value) &&
        required.every((name) => Object.hasOwn(value, name)) &&
        Object.entries(value).every(([name, inner]) => {
          const property = Object.hasOwn(properties, name) ? properties[name] : undefined
          return property !== undefined && fits(inner, property)
        })
      )
  }
}
