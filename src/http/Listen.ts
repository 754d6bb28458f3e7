import * as Effect from "effect/Effect"
import { CannotListen, PortInUse } from "../config/StartupErrors.ts"
import { Network } from "../ground/Network.ts"
import type { ServerCertificate } from "../ground/ServerCertificate.ts"
import type { Address, AddressTaken, AddressUnusable, Host } from "../ground/Visits.ts"

/** Where it fails the start is impossible. */
const orEnd = <A, R>(listening: Effect.Effect<A, AddressTaken | AddressUnusable, R>, { host, port }: Address) =>
  Effect.catchTags(listening, {
    AddressTaken: () => Effect.fail(new PortInUse({ host, port })),
    AddressUnusable: ({ code }) => Effect.fail(new CannotListen({ host, port, detail: code }))
  })

/** Listens as long as the scope lives. */
export const listen = (address: Address, behind: Host) =>
  Effect.flatMap(Network, (network) => orEnd(network.listen(address, behind), address))

/** The same by TLS. */
export const listenSecure = (address: Address, behind: Host, certificate: ServerCertificate) =>
  Effect.flatMap(Network, (network) => orEnd(network.listenSecure(address, behind, certificate), address))
