import * as Layer from "effect/Layer"
import { Machine } from "../src/ground/Machine.ts"

/** A machine of which nothing is to be seen. */
export const layer = Layer.succeed(
  Machine,
  Machine.of({ name: () => "test-machine", memory: () => ({ resident: 0, heapUsed: 0 }) })
)
