import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { InvalidState, NotFound } from "../../schema/Errors.ts"
import type { FileKind } from "./Names.ts"

/** What a file is in use for: the state that a refused delete answers. */
export type Use = "RECORDING" | "REMUXING" | "DOWNLOADING"

/** Deletes a file, which nobody can come to hold meanwhile. */
type Deletes = <A, E, R>(
  kind: FileKind,
  filename: string,
  deletion: Effect.Effect<A, E, R>
) => Effect.Effect<A, E | InvalidState | NotFound, R>

interface Hold {
  readonly use: Use
  readonly taken: Deferred.Deferred<void>
}

/**
 * Why files may not be deleted now. Several may hold one; who came first gives the reason. Who writes a file has it until he
 * is done; who downloads one (or exports it) keeps clients from deleting it, and retention may take it away. All of it is in
 * memory and decided at once, so nobody comes to hold a file between the question and its deletion.
 */
export class Holds extends Context.Service<
  Holds,
  {
    /**
     * For as long as the scope lives; a file that is being deleted is gone already. It need not be there yet. `taken`
     * completes when the file is taken away from those who download it
     */
    readonly hold: (
      kind: FileKind,
      filename: string,
      use: Use
    ) => Effect.Effect<{ readonly taken: Effect.Effect<void> }, NotFound, Scope.Scope>
    /** whether it is being recorded or remuxed */
    readonly isWritten: (kind: FileKind, filename: string) => boolean
    /** whether a recording writes it now */
    readonly isRecorded: (recording: string) => boolean
    /** deletes a file that nobody holds; until this has ended nobody can */
    readonly whileFree: Deletes
    /** deletes a file that nobody writes, and takes it away from those who download it; until this has ended nobody holds it */
    readonly whileUnwritten: Deletes
  }
>()("camera-service/storage/Holds") {
  static readonly layer = Layer.sync(Holds, () => {
    const uses = new Map<string, ReadonlyArray<Hold>>()
    /** those that are being deleted */
    const gone = new Set<string>()
    const keyOf = (kind: FileKind, filename: string) => `${kind}/${filename}`

    const deleting =
      (keeps: (hold: Hold) => boolean): Deletes =>
      (kind, filename, deletion) => {
        const key = keyOf(kind, filename)
        const begun = Effect.suspend((): Effect.Effect<void, InvalidState | NotFound> => {
          const held = uses.get(key) ?? []
          const use = held.find(keeps)?.use
          if (use !== undefined) return Effect.fail(inUse(use))
          if (gone.has(key)) return Effect.fail(new NotFound({ resource: kind, id: filename }))
          gone.add(key)
          for (const { taken } of held) Deferred.doneUnsafe(taken, Effect.void)
          return Effect.void
        })
        const ended = Effect.sync(() => gone.delete(key))
        return Effect.acquireUseRelease(
          begun,
          () => deletion,
          () => ended
        )
      }

    return Holds.of({
      hold: (kind, filename, use) => {
        const key = keyOf(kind, filename)
        const mine = { use, taken: Deferred.makeUnsafe<void>() }
        const taken = Effect.suspend(() => {
          if (gone.has(key)) return Effect.fail(new NotFound({ resource: kind, id: filename }))
          uses.set(key, [...(uses.get(key) ?? []), mine])
          return Effect.succeed({ taken: Deferred.await(mine.taken) })
        })
        const given = Effect.sync(() => {
          const left = (uses.get(key) ?? []).filter((other) => other !== mine)
          if (left.length > 0) uses.set(key, left)
          else uses.delete(key)
        })
        return Effect.acquireRelease(taken, () => given)
      },

      isWritten: (kind, filename) => (uses.get(keyOf(kind, filename)) ?? []).some(writes),
      isRecorded: (recording) => (uses.get(keyOf("recording", recording)) ?? []).some(({ use }) => use === "RECORDING"),
      whileFree: deleting(() => true),
      whileUnwritten: deleting(writes)
    })
  })
}

const writes = ({ use }: Hold): boolean => use !== "DOWNLOADING"

const inUse = (use: Use) => new InvalidState({ state: use, allowed_states: [use === "RECORDING" ? "STOPPED" : "FREE"] })
