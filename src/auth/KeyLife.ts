import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Role } from "../../schema/Auth.ts"
import { AuthFailed, InvalidState } from "../../schema/Errors.ts"
import { dayMillis } from "../ground/Time.ts"
import type { ApiKey } from "./KeyFile.ts"

/** From a key's making to its end, and how long it is known after that. Times are epoch milliseconds. */

export interface KeyGrant {
  readonly kind: ApiKey["kind"]
  readonly role: Role
  /** names and globs; absent: all cameras */
  readonly cameras?: ReadonlyArray<string>
  readonly description?: string
  readonly createdBy: string
  /** for a viewing key: the key that it is made with */
  readonly parent?: string
  /** for a viewing key: the terms of the token that it is made with */
  readonly terms?: string
  /** epoch milliseconds */
  readonly expiresAt: number
}

/** So many keys of one kind may be in force: each change writes all of them. */
const mostKeys = 1000
/** So many of the viewing keys may be one user's. */
const mostOfOne = 100
/** A key that is over stays in the list so long, in milliseconds. */
const keptFor = 30 * dayMillis

/** `now`: epoch milliseconds, as the key's own times */
export const statusOf = ({ expiresAt, revokedAt }: ApiKey, now: number): "ACTIVE" | "EXPIRED" | "REVOKED" => {
  if (revokedAt !== undefined) return "REVOKED"
  return expiresAt <= now ? "EXPIRED" : "ACTIVE"
}

/** Whether a key ends with the one of this id. */
export const endsWith = (key: ApiKey, id: string): boolean => key.id === id || key.parent === id

/** The key as one that ends now, where it has not before. */
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

/** Why no such key may be made beside these. */
export const flawOf = (
  { createdBy, kind, parent }: KeyGrant,
  entries: ReadonlyArray<Entry>,
  now: number
): AuthFailed | InvalidState | undefined => {
  const active = entries.filter(({ key }) => statusOf(key, now) === "ACTIVE")
  if (parent !== undefined && !active.some(({ key }) => key.id === parent)) {
    return new AuthFailed({ reason: "the key was revoked" })
  }
  const alike = active.filter(({ key }) => key.kind === kind)
  if (alike.length >= mostKeys) return tooMany(mostKeys, kind)
  const own = alike.filter(({ key }) => key.createdBy === createdBy)
  return kind === "viewing" && own.length >= mostOfOne ? tooMany(mostOfOne, kind) : undefined
}

const tooMany = (most: number, kind: ApiKey["kind"]) =>
  new InvalidState({
    state: `${most} ${kind === "api" ? "API keys" : "viewing keys"} are in force`,
    allowed_states: [`fewer than ${most}`],
    suggestion: kind === "api" ? "revoke keys that nobody needs" : "use those that there are, or wait until they expire"
  })
