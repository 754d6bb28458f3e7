import * as Effect from "effect/Effect"
import { CannotListen, PortInUse } from "../config/StartupErrors.ts"
import { Network } from "../ground/Network.ts"
import type { Address, Host } from "../ground/Visits.ts"

/** Listens as long as the scope lives; where that fails the start is impossible. */
export const listen = Effect.fnUntraced(function* ({ host, port }: Address, behind: Host) {
  const network = yield* Network
  return yield* network.listen({ host, port }, behind).pipe(
    Effect.catchTags({
      AddressTaken: () => Effect.fail(new PortInUse({ host, port })),
      AddressUnusable: ({ code }) => Effect.fail(new CannotListen({ host, port, detail: code }))
    })
  )
})
