import { layerWebCrypto } from "effect/crypto/SecureRandom"
import * as Layer from "effect/Layer"
import * as Children from "./Children.ts"
import { Databases } from "./Databases.ts"
import { Disk } from "./Disk.ts"
import { KernelCalls } from "./KernelCalls.ts"
import { KernelFiles } from "./KernelFiles.ts"
import { Loopback } from "./Loopback.ts"
import { Machine } from "./Machine.ts"
import { Multicast } from "./Multicast.ts"
import { Network } from "./Network.ts"
import { Resolver } from "./Resolver.ts"
import { Tcp } from "./Tcp.ts"
import { Threads } from "./Threads.ts"

/** This machine: all that the service stands on and does not control. Its clock, and chance, are Effect's own. */
export const layer = Layer.mergeAll(
  Children.layer,
  Disk.layer,
  Databases.layer,
  KernelFiles.layer,
  KernelCalls.layer,
  Loopback.layer,
  Machine.layer,
  Multicast.layer,
  Network.layer,
  Resolver.layer,
  Tcp.layer,
  Threads.layer,
  layerWebCrypto
)
