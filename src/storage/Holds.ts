import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { InvalidState, NotFound } from "../../schema/Errors.ts"
import type { FileKind } from "./Names.ts"

/** What a file is in use for: the state that a refused delete answers. */
export type Use = "RECORDING" | "REMUXING" | "DOWNLOADING"

/**
 * Why files may not be deleted now. Several may hold one; who came first gives the reason. All of it is in memory and
 * decided at once, so nobody comes to hold a file between the question and its deletion.
 */
export class Holds extends Context.Service<
  Holds,
  {
    /** for as long as the scope lives; a file that is being deleted is gone already. It need not be there yet */
    readonly hold: (kind: FileKind, filename: string, use: Use) => Effect.Effect<void, NotFound, Scope.Scope>
    /** deletes a file that nobody holds; until this has ended nobody can */
    readonly whileFree: <A, E, R>(
      kind: FileKind,
      filename: string,
      deletion: Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | InvalidState | NotFound, R>
  }
>()("camera-service/storage/Holds") {
  static readonly layer = Layer.sync(Holds, () => {
    const uses = new Map<string, ReadonlyArray<{ readonly use: Use }>>()
    const deleting = new Set<string>()
    const keyOf = (kind: FileKind, filename: string) => `${kind}/${filename}`

    return Holds.of({
      hold: (kind, filename, use) => {
        const key = keyOf(kind, filename)
        const mine = { use }
        const taken = Effect.suspend(() => {
          if (deleting.has(key)) return Effect.fail(new NotFound({ resource: kind, id: filename }))
          uses.set(key, [...(uses.get(key) ?? []), mine])
          return Effect.void
        })
        const given = Effect.sync(() => {
          const left = (uses.get(key) ?? []).filter((other) => other !== mine)
          if (left.length > 0) uses.set(key, left)
          else uses.delete(key)
        })
        return Effect.acquireRelease(taken, () => given)
      },

      whileFree: (kind, filename, deletion) => {
        const key = keyOf(kind, filename)
        const begun = Effect.suspend((): Effect.Effect<void, InvalidState | NotFound> => {
          const use = uses.get(key)?.[0]?.use
          if (use !== undefined) return Effect.fail(inUse(use))
          if (deleting.has(key)) return Effect.fail(new NotFound({ resource: kind, id: filename }))
          deleting.add(key)
          return Effect.void
        })
        const ended = Effect.sync(() => deleting.delete(key))
        return Effect.acquireUseRelease(
          begun,
          () => deletion,
          () => ended
        )
      }
    })
  })
}

const inUse = (use: Use) => new InvalidState({ state: use, allowed_states: [use === "RECORDING" ? "STOPPED" : "FREE"] })
