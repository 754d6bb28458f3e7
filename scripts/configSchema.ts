import * as Schema from "effect/Schema"
import { type Key, keys, standard } from "../src/config/Keys.ts"
import { sections } from "../src/config/Keys.ts"

/** A JSON Schema of one value: what is for machines of its rule, and all of it for people. */
const schemaOf = (key: Key) => {
  const { description: _meaning, title: _rule, ...schema } = Schema.toJsonSchemaDocument(key.schema).schema
  const description = `${key.meaning} (${key.rule}; changes ${key.changes})`
  return { description, default: standard(key), ...schema }
}

const schemasOf = (some: ReadonlyArray<Key>) =>
  Object.fromEntries(some.map((key) => [key.key.slice(key.key.indexOf(".") + 1), schemaOf(key)]))

/**
 * The configuration file as a JSON Schema (draft 2020-12), for editors. What one key says about another (ports), and some
 * of the rules about texts, only the service itself checks.
 */
export const configSchema = () => ({
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "The configuration of camera-service",
  // an empty file, and a section of which nothing is set
  type: ["object", "null"],
  additionalProperties: false,
  properties: {
    ...schemasOf(keys.filter(({ key }) => !key.includes("."))),
    ...Object.fromEntries(
      [...sections].map((section) => [
        section,
        {
          type: ["object", "null"],
          additionalProperties: false,
          properties: schemasOf(keys.filter(({ key }) => key.startsWith(`${section}.`)))
        }
      ])
    )
  }
})
