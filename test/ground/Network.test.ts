import * as Layer from "effect/Layer"
import { Network } from "../../src/ground/Network.ts"
import * as MemoryNetwork from "../../testing/MemoryNetwork.ts"
import { networkBehaviour } from "../suites/network.ts"
import * as RealVisitors from "../support/RealVisitors.ts"

networkBehaviour("in memory", MemoryNetwork.layer)
networkBehaviour("of sockets", Layer.merge(Network.layer, RealVisitors.layer))
