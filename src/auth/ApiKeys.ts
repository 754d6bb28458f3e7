import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as Deferred from "effect/Deferred"
import * as Exit from "effect/Exit"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Hex from "effect/encoding/Hex"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { type Session, signers } from "../../schema/Auth.ts"
import { AuthFailed, type DependencyFailed, InvalidState, NotFound } from "../../schema/Errors.ts"
import { Settings } from "../config/Settings.ts"
import { sameSecret } from "../ground/SameSecret.ts"
import { makeRefusals } from "../telemetry/Refusals.ts"
import { type ApiKey, keyFile, notWritten } from "./KeyFile.ts"
import { byId, endsWith, type Entry, entryOf, flawOf, type KeyGrant, revoked, statusOf, stillKept } from "./KeyLife.ts"
import { hashOf, readKey, writeKey } from "./KeyText.ts"
import { makeKeyUses } from "./KeyUses.ts"
import { Tokens } from "./Tokens.ts"

/** A key with the secret that nobody can tell again. */
export interface NewKey {
  readonly key: ApiKey
  readonly secret: Redacted.Redacted
}

/** Somebody waits for a key. */
interface Asked {
  readonly grant: KeyGrant
  readonly made: Deferred.Deferred<NewKey, AuthFailed | InvalidState | DependencyFailed>
}

/** Keys for programs and for players: opaque, 256 random bits, kept as hashes only. */
export class ApiKeys extends Context.Service<
  ApiKeys,
  {
    /** newest first; also those that ended lately */
    readonly list: () => ReadonlyArray<ApiKey>
    /** as in the list */
    readonly get: (id: string) => ApiKey | undefined
    /** on the disk when it returns; fails with `AuthFailed` where its parent has ended meanwhile */
    readonly create: (grant: KeyGrant) => Effect.Effect<NewKey, AuthFailed | InvalidState | DependencyFailed>
    /**
     * Ends it, the viewing keys made with it, and what they opened, at once. A failure says that this could not be
     * written; it is refused all the same until the next start.
     */
    readonly revoke: (id: string) => Effect.Effect<ApiKey, NotFound | DependencyFailed>
    /** another key with the same rights and as long a life in its place */
    readonly rotate: (id: string, by: string) => Effect.Effect<NewKey, NotFound | InvalidState | DependencyFailed>
    /** from memory */
    readonly verify: (text: string) => Effect.Effect<Session, AuthFailed>
    /** the same for who shows something that the key of this id has signed */
    readonly session: (id: string) => Effect.Effect<Session, AuthFailed>
  }
>()("camera-service/auth/ApiKeys") {
  static readonly layer = Layer.effect(
    ApiKeys,
    Effect.gen(function* () {
      const random = yield* SecureRandom
      const file = yield* keyFile
      const refused = yield* makeRefusals
      const tokens = yield* Tokens
      const { live } = yield* Settings
      let entries = new Map(file.keys.map((key) => [key.id, entryOf(key)]))
      const oneAtATime = yield* Semaphore.make(1)

      const write = (all: Iterable<Entry>) => file.write(Array.from(all, ({ key }) => key))
      /** nobody sees a change that is not on the disk; a client that goes meanwhile does not stop it half-way */
      const change = <A, E>(made: Effect.Effect<A, E>) => Effect.uninterruptible(oneAtATime.withPermits(1)(made))

      const make = Effect.fnUntraced(function* (grant: KeyGrant, now: number) {
        const id = Hex.encode(yield* random.randomBytes(6))
        const secret = Base64Url.encode(yield* random.randomBytes(32))
        const key = { ...grant, id, hash: hashOf(secret), createdAt: now } satisfies ApiKey
        return { key, secret: Redacted.make(writeKey(id, secret)) }
      })

      const tooMany = ({ createdBy, kind }: KeyGrant, { state }: InvalidState) =>
        refused(kind === "viewing" ? "viewing keys" : "api keys", createdBy, `a key is refused: ${state}`, {
          user: createdBy
        })

      /** asked for while the file was being written */
      const asked: Array<Asked> = []

      /** One write is enough for all: a disk that takes its time takes it once. */
      const createAsked = change(
        Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          const kept = [...stillKept(entries.values(), now)]
          const made: Array<{ readonly one: Asked; readonly key: NewKey }> = []
          for (const one of asked.splice(0)) {
            const flaw = flawOf(one.grant, kept, now)
            if (flaw !== undefined) {
              if (flaw._tag === "InvalidState") tooMany(one.grant, flaw)
              Deferred.doneUnsafe(one.made, Effect.fail(flaw))
              continue
            }
            const key = yield* make(one.grant, now)
            kept.push(entryOf(key.key))
            made.push({ one, key })
          }
          if (made.length === 0) return
          const written = yield* Effect.exit(write(kept))
          if (Exit.isSuccess(written)) entries = byId(kept)
          yield* endOutdated
          for (const { key, one } of made)
            Deferred.doneUnsafe(
              one.made,
              Exit.map(written, () => key)
            )
        })
      )

      const create = Effect.fn("ApiKeys.create")(function* (grant: KeyGrant) {
        const made = Deferred.makeUnsafe<NewKey, AuthFailed | InvalidState | DependencyFailed>()
        asked.push({ grant, made })
        yield* createAsked
        return yield* Deferred.await(made)
      }, Effect.uninterruptible)

      const find = (id: string) => {
        const entry = entries.get(id)
        return entry === undefined ? Effect.fail(new NotFound({ resource: "api_key", id })) : Effect.succeed(entry)
      }

      const end = (isOver: (key: ApiKey) => boolean, now: number): void => {
        for (const entry of entries.values()) {
          if (!isOver(entry.key)) continue
          entry.key = revoked(entry.key, now)
          Deferred.doneUnsafe(entry.revoked, Effect.void)
        }
      }
      /** what was made with tokens ends as soon as these have to be others */
      const endOutdated = Effect.map(Clock.currentTimeMillis, (now) => {
        const ids = new Set(signers.map((signer) => tokens.terms(signer).id))
        end(({ terms }) => terms !== undefined && !ids.has(terms), now)
      })

      const revoke = Effect.fn("ApiKeys.revoke")(function* (id: string) {
        const endIt = Effect.map(Clock.currentTimeMillis, (now) => end((key) => endsWith(key, id), now))
        // before it is its turn, and before it is written: on a disk that hangs or is full, too, a key that leaked must end
        yield* endIt
        return yield* change(
          Effect.gen(function* () {
            const entry = yield* find(id)
            // what was made with it meanwhile
            yield* endIt
            yield* Effect.mapError(write(entries.values()), notWritten)
            return entry.key
          })
        )
      })

      const rotate = Effect.fn("ApiKeys.rotate")((id: string, by: string) =>
        change(
          Effect.gen(function* () {
            const now = yield* Clock.currentTimeMillis
            const { key: old } = yield* find(id)
            const state = old.kind === "viewing" ? "VIEWING_KEY" : statusOf(old, now)
            if (state !== "ACTIVE") {
              return yield* new InvalidState({ state, allowed_states: ["ACTIVE"], suggestion: "create another key" })
            }
            const { createdAt, expiresAt, hash: _hash, id: _id, lastUsed: _lastUsed, ...grant } = old
            const made = yield* make({ ...grant, createdBy: by, expiresAt: now + expiresAt - createdAt }, now)
            const kept = stillKept(entries.values(), now)
            const keys = Array.from(kept, ({ key }) => (endsWith(key, id) ? revoked(key, now) : key))
            yield* file.write([...keys, made.key])
            entries = byId([...kept, entryOf(made.key)])
            end((key) => endsWith(key, id), now)
            return made
          })
        )
      )

      const verify = Effect.fn("ApiKeys.verify")(function* (text: string) {
        const { id, secret } = readKey(text) ?? { id: "", secret: "" }
        const hash = hashOf(secret)
        const entry = entries.get(id)
        if (!sameSecret(hash, entry?.key.hash ?? "") || entry === undefined) return yield* notValid
        return yield* open(entry)
      })

      const session = (id: string) => {
        const entry = entries.get(id)
        return entry === undefined ? notValid : open(entry)
      }

      const open = Effect.fnUntraced(function* (entry: Entry) {
        const now = yield* Clock.currentTimeMillis
        const { cameras, createdBy, expiresAt, id, kind, role } = entry.key
        const status = statusOf(entry.key, now)
        if (status !== "ACTIVE") {
          return yield* new AuthFailed({
            reason: status === "EXPIRED" ? "the key has expired" : "the key was revoked"
          })
        }
        yield* used(entry, now)
        const credential = {
          kind: kind === "api" ? ("key" as const) : ("viewing key" as const),
          id,
          by: createdBy,
          revoked: entry.revoked
        }
        const sessionId = yield* random.uuidV4()
        const session = { sessionId, userId: `key ${id}`, role, expiresAt, credential }
        return cameras === undefined ? session : { ...session, cameras }
      })

      const writeUses = change(Effect.suspend(() => write(entries.values()))).pipe(
        // the disk has said so in the log; the next use tries again
        Effect.ignore
      )
      yield* endOutdated
      yield* SubscriptionRef.changes(live).pipe(
        Stream.runForEach(() => endOutdated),
        Effect.forkScoped
      )
      const used = yield* makeKeyUses(writeUses)

      return ApiKeys.of({
        list: () => [...entries.values()].map(({ key }) => key).sort((a, b) => b.createdAt - a.createdAt),
        get: (id) => entries.get(id)?.key,
        create,
        revoke,
        rotate,
        verify,
        session
      })
    })
  )
}

const notValid = Effect.fail(new AuthFailed({ reason: "the key is not valid" }))
