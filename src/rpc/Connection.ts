import type { Session } from "../../schema/Auth.ts"
import type { AuthFailed } from "../../schema/Errors.ts"
import type { Subscription } from "../events/Subscription.ts"
import type { Addressee } from "./Outbox.ts"
import type { TokenBucket } from "./TokenBucket.ts"

/** One client that is connected. */
export interface Connection extends Addressee {
  /** the `id` of the `Rpc.ServerClient` that handlers and middleware get */
  readonly id: number
  /** the IP address that it comes from */
  readonly address: string
  /** it came by TLS, to us or to a proxy in front of us */
  readonly isSecure: boolean
  /** epoch milliseconds: when it came */
  readonly since: number
  /** the host and the port by which it came, as it wrote them */
  readonly cameBy: string | undefined
  /** the same, once it has authenticated and where there are not too many of them */
  authority: string | undefined
  /** what is left of its share of requests */
  readonly bucket: TokenBucket
  /** why the credential that it showed when it came is of no use */
  refused: AuthFailed | undefined
  /** set by `authenticate`, and kept when the token expires */
  session: Session | undefined
  subscription: Subscription
}

/** What the log tells of a client. */
export const whoIs = ({ address, session }: Pick<Connection, "address" | "session">) => ({
  peer: address,
  ...(session === undefined ? {} : { user: session.userId })
})
