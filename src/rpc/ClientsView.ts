import type { ClientList } from "../../schema/System.ts"
import { sizeOf } from "../events/Subscription.ts"
import { isoTime } from "../ground/Time.ts"
import type { Connection } from "./Connection.ts"

type Client = ClientList["clients"][number]

const sessionOf = ({ session }: Connection): Pick<Client, "session"> => {
  if (session === undefined) return {}
  const { cameras, expiresAt, role, sessionId, userId } = session
  const scope = cameras === undefined ? {} : { cameras }
  return { session: { id: sessionId, user: userId, role, ...scope, expires_at: isoTime(expiresAt) } }
}

/** One client as admins are shown it. */
export const clientView = (connection: Connection): Client => ({
  address: connection.address,
  connected_at: isoTime(connection.since),
  ...sessionOf(connection),
  topics: sizeOf(connection.subscription)
})
