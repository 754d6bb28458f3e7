import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { listen } from "../src/ground/Listener.ts"
import { Network } from "../src/ground/Network.ts"

/** Where a played network can be reached from this machine: what listens in memory listens on a real port of its own as well. */
export class Doors extends Context.Service<
  Doors,
  {
    /** the real port in front of a played one; undefined: nothing listens there */
    readonly portOf: (played: number) => number | undefined
  }
>()("camera-service/testing/Doors") {
  static readonly layer = Layer.effectContext(
    Effect.gen(function* () {
      const played = yield* Network
      const ports = new Map<number, number>()
      const network = Network.of({
        ...played,
        listen: Effect.fnUntraced(function* (address, host) {
          const inMemory = yield* played.listen(address, host)
          const real = yield* listen({ host: "127.0.0.1", port: 0 }, host)
          ports.set(inMemory.port, real.port)
          return inMemory
        })
      })
      const doors = Doors.of({ portOf: (port) => ports.get(port) })
      return Context.make(Network, network).pipe(Context.add(Doors, doors))
    })
  )
}
