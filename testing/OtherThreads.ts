import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Threads } from "../src/ground/Threads.ts"

/** The threads that look at credentials, in the machine's own time, for which the test's clock waits. */
export class OtherThreads extends Context.Service<
  OtherThreads,
  {
    /** no thread works on what was asked of it, however busy the machine is */
    readonly idle: Effect.Effect<void>
  }
>()("camera-service/testing/OtherThreads") {
  static readonly layer: Layer.Layer<OtherThreads | Threads> = Layer.effectContext(
    Effect.sync(() => {
      const under = new Set<Promise<unknown>>()
      const working = <A>(result: Promise<A>): Promise<A> => {
        const over = () => void under.delete(result)
        under.add(result)
        result.then(over, over)
        return result
      }
      const idle = Effect.promise(async () => {
        while (under.size > 0) await Promise.allSettled(under)
      })
      return Context.make(Threads, Threads.of({ working })).pipe(Context.add(OtherThreads, OtherThreads.of({ idle })))
    })
  )
}

/** The same, where there is a ground of the test's own. */
export const threadsIdle = Effect.flatMap(Effect.serviceOption(OtherThreads), (threads) =>
  threads._tag === "None" ? Effect.void : threads.value.idle
)
