import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { ApiKey } from "./KeyFile.ts"

/** From a key's making to its end, and how long it is known after that. Times are epoch milliseconds. */

/** So many keys of one kind may be in force: each change writes all of them. */
export const mostKeys = 1000
/** A key that is over stays in the list so long, in milliseconds. */
const keptFor = 30 * 86_400_000

export const statusOf = ({ expiresAt, revokedAt }: ApiKey, now: number): "ACTIVE" | "EXPIRED" | "REVOKED" => {
  if (revokedAt !== undefined) return "REVOKED"
  return expiresAt <= now ? "EXPIRED" : "ACTIVE"
}

/** Whether a key ends with the one of this id. */
export const endsWith = (key: ApiKey, id: string): boolean => key.id === id || key.parent === id

export const revoked = (key: ApiKey, now: number): ApiKey => ({ ...key, revokedAt: key.revokedAt ?? now })

/** A key in memory; `revoked` is done once it is. */
export interface Entry {
  key: ApiKey
  readonly revoked: Deferred.Deferred<void>
}

export const entryOf = (key: ApiKey): Entry => {
  const revoked = Deferred.makeUnsafe<void>()
  if (key.revokedAt !== undefined) Deferred.doneUnsafe(revoked, Effect.void)
  return { key, revoked }
}

export const byId = (entries: ReadonlyArray<Entry>) => new Map(entries.map((entry) => [entry.key.id, entry]))

/** Without those that ended long ago, and viewing keys that ended at all; of many that ended only the last. */
export const stillKept = (entries: Iterable<Entry>, now: number): ReadonlyArray<Entry> => {
  const alive: Array<Entry> = []
  const over: Array<Entry> = []
  for (const entry of entries) {
    const { expiresAt, kind, revokedAt = expiresAt } = entry.key
    if (statusOf(entry.key, now) === "ACTIVE") alive.push(entry)
    else if (kind === "api" && now - Math.min(revokedAt, expiresAt) < keptFor) over.push(entry)
  }
  return [...over.slice(-mostKeys), ...alive]
}
