import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Semaphore from "effect/Semaphore"
import { monotonicMillis } from "../ground/Time.ts"
import type { Playlist } from "../media/HlsPlaylist.ts"
import type { StreamName } from "../stream/StreamName.ts"

/** So many are known at once; one more, and who came longest ago is forgotten, and has to ask for the index again. */
const mostPlayers = 1000
/** Who asked for nothing for so long is gone; in milliseconds. */
const goneAfter = 300_000

/** Who follows a stream: the address that it was given stays, while MediaMTX forgets its sessions with each end of the stream. */
export interface Player {
  readonly stream: StreamName
  /** what opens the index again, for as long as the credential lasts that opened it */
  readonly signature: Redacted.Redacted
  /** what MediaMTX knows the session by now */
  secret: string
  /** by name, as they were last given, and what MediaMTX knew the session by then */
  readonly playlists: Map<string, { readonly last: Playlist; readonly of: string }>
  readonly oneAtATime: Semaphore.Semaphore
  usedAt: number
}

/** Those who follow streams, by the secret that they were given. */
export const makeHlsPlayers = Effect.sync(() => {
  const players = new Map<string, Player>()

  const use = (given: string, player: Player, now: number): void => {
    player.usedAt = now
    // last in the order, in which the first is forgotten
    players.delete(given)
    players.set(given, player)
    for (const [oldest, { usedAt }] of players) {
      if (players.size <= mostPlayers && now - usedAt < goneAfter) break
      players.delete(oldest)
    }
  }

  return {
    add: Effect.fnUntraced(function* (secret: string, stream: StreamName, signature: Redacted.Redacted) {
      const now = yield* monotonicMillis
      const oneAtATime = yield* Semaphore.make(1)
      use(secret, { stream, signature, secret, playlists: new Map(), oneAtATime, usedAt: now }, now)
    }),
    find: (given: string, stream: StreamName) =>
      Effect.map(monotonicMillis, (now) => {
        const player = players.get(given)
        if (player?.stream !== stream) return undefined
        use(given, player, now)
        return player
      }),
    forget: (given: string): void => void players.delete(given)
  }
})
