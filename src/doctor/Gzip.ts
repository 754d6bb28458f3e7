import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** It is no gzip (RFC 1952), not whole, or more than anybody wants. */
export class NotPacked extends Schema.TaggedError<NotPacked>()("NotPacked", {}) {}

const through = (bytes: Uint8Array, transform: CompressionStream | DecompressionStream) =>
  new Blob([new Uint8Array(bytes)]).stream().pipeThrough(transform)

export const gzip = (bytes: Uint8Array): Effect.Effect<Uint8Array> =>
  Effect.promise(async () => {
    const packed = through(bytes, new CompressionStream("gzip"))
    return new Uint8Array(await new Response(packed).arrayBuffer())
  })

/** A few bytes may stand for very many: it ends where they are more than `mostBytes`. */
export const gunzip = (bytes: Uint8Array, mostBytes: number): Effect.Effect<Uint8Array, NotPacked> =>
  Effect.tryPromise({
    try: async () => {
      const chunks: Array<Uint8Array> = []
      let length = 0
      for await (const chunk of through(bytes, new DecompressionStream("gzip")) as AsyncIterable<Uint8Array>) {
        length += chunk.length
        if (length > mostBytes) throw new Error("too much")
        chunks.push(chunk)
      }
      return new Uint8Array(Buffer.concat(chunks))
    },
    catch: () => new NotPacked()
  })
