import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { NameUnknown, Resolver } from "../src/ground/Resolver.ts"

/** Names of the network, and what a test makes of them. */
export class MemoryResolver extends Context.Service<
  MemoryResolver,
  {
    /** the name stands for these addresses from now on; none: nobody knows it */
    readonly set: (name: string, addresses: ReadonlyArray<string>) => Effect.Effect<void>
    /** this machine's addresses */
    readonly own: Set<string>
  }
>()("camera-service/testing/MemoryResolver") {
  static readonly layer = Layer.effectContext(
    Effect.sync(() => {
      const known = new Map<string, ReadonlyArray<string>>()
      const own = new Set(["127.0.0.1", "::1"])
      const memory = MemoryResolver.of({
        set: (name, addresses) => Effect.sync(() => void known.set(name, addresses)),
        own
      })
      const resolver = Resolver.of({
        addressesOf: (name) => {
          const addresses = known.get(name) ?? []
          return addresses.length === 0
            ? Effect.fail(new NameUnknown({ code: "ENOTFOUND" }))
            : Effect.succeed(addresses)
        },
        own: () => [...own]
      })
      return Context.make(MemoryResolver, memory).pipe(Context.add(Resolver, resolver))
    })
  )
}
