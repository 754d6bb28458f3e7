import type { Peer } from "../../src/ground/Visits.ts"

/** A client that reads at once all that it is sent, and says nothing. */
export const quietPeer: Peer = {
  send: () => {},
  sendAll: () => {},
  buffered: () => 0,
  pause: () => {},
  resume: () => {},
  cut: () => {},
  limit: () => {}
}
