import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import { lookup } from "node:dns/promises"
import { networkInterfaces } from "node:os"

/** Nobody knows this name now. `code` is the resolver's: `ENOTFOUND`, `EAI_AGAIN`. */
export class NameUnknown extends Schema.TaggedError<NameUnknown>()("NameUnknown", { code: Schema.String }) {}

/** Each hangs in a thread of its own, for as long as the name server is silent: files need threads as well. */
const lookups = 4

/** Which addresses names stand for, and which are this machine's. */
export class Resolver extends Context.Service<
  Resolver,
  {
    /** all that the name stands for now, IPv4 first: one of `/etc/hosts`, of DNS, of the local network (mDNS) */
    readonly addressesOf: (name: string) => Effect.Effect<ReadonlyArray<string>, NameUnknown>
    /** those of all network interfaces, without zones */
    readonly own: () => ReadonlyArray<string>
  }
>()("camera-service/ground/Resolver") {
  /** The system's (getaddrinfo(3)). */
  static readonly layer = Layer.effect(
    Resolver,
    Effect.map(Semaphore.make(lookups), (turn) => Resolver.of({ addressesOf: addressesOf(turn), own }))
  )
}

/** Who asked may go: the lookup ends by itself, and gives its turn back then. */
export const addressesOf =
  (turn: Semaphore.Semaphore, look: typeof lookAll = lookAll) =>
  (name: string) =>
    Effect.uninterruptibleMask((restore) =>
      restore(turn.take(1)).pipe(
        Effect.andThen(Effect.forkDetach(Effect.ensuring(look(name), turn.release(1)))),
        Effect.flatMap((looking) => restore(Fiber.join(looking)))
      )
    )

const lookAll = (name: string): Effect.Effect<ReadonlyArray<string>, NameUnknown> =>
  Effect.tryPromise({
    try: async () => (await lookup(name, { all: true, order: "ipv4first" })).map(({ address }) => address),
    catch: (cause) => new NameUnknown({ code: (cause as NodeJS.ErrnoException).code ?? "" })
  })

const own = (): ReadonlyArray<string> =>
  Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address.replace(/%.*$/, "")))
