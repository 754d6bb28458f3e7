import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Machine } from "../src/ground/Machine.ts"

/** A machine of which nothing is to be seen. */
export const layer = Layer.succeed(
  Machine,
  Machine.of({
    name: () => "test-machine",
    own: { pid: 1, runtime: "node v24.0.0", architecture: "x64" },
    user: () => ({ name: "tester", id: 1000, groups: [1000] }),
    clockIsKept: Effect.succeed(true),
    memory: () => ({ resident: 0, anonymous: 0, heapUsed: 0 }),
    residentOf: () => 20 << 20,
    room: () => ({ total: 0, available: 0 }),
    processorSeconds: () => 0,
    processors: () => ({ all: 0, busy: 0 }),
    processorWait: () => 0,
    works: () => Effect.succeed(false)
  })
)
