import * as Context from "effect/Context"
import * as Layer from "effect/Layer"

/**
 * What other threads of this process work at, such as WebCrypto's: in the machine's own time, of which the clock knows
 * nothing. A ground with a clock of its own waits for it.
 */
export class Threads extends Context.Service<
  Threads,
  {
    /** hands it on as it is, and knows of it until it is over */
    readonly working: <A>(result: Promise<A>) => Promise<A>
  }
>()("camera-service/ground/Threads") {
  static readonly layer = Layer.succeed(Threads, Threads.of({ working: (result) => result }))
}
