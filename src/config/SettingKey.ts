import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Rules from "./Rules.ts"

/** A key of the configuration: its rule in words, and what it means. */
export const key = <S extends Schema.Top>(schema: S, fallback: S["Encoded"], rule: string, meaning: string) =>
  schema
    .annotate({ title: rule, description: meaning })
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed(fallback) as Effect.Effect<never>))

export const anyPort = (fallback: number, meaning: string) => key(Rules.port, fallback, "a port, 1 to 65535", meaning)
