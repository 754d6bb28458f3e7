import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import { hostname } from "node:os"

/** What the machine says of itself and of this process. */
export class Machine extends Context.Service<
  Machine,
  {
    /** its name in the network */
    readonly name: () => string
    /** bytes that the process occupies (RSS), and of them those in use on V8's heap */
    readonly memory: () => { readonly resident: number; readonly heapUsed: number }
  }
>()("camera-service/ground/Machine") {
  static readonly layer = Layer.sync(Machine, () =>
    Machine.of({
      name: hostname,
      memory: () => {
        const { heapUsed, rss } = process.memoryUsage()
        return { resident: rss, heapUsed }
      }
    })
  )
}
