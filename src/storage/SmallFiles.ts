import * as Context from "effect/Context"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { dirname, join } from "node:path"
import type { DependencyFailed } from "../../schema/Errors.ts"
import { Disk } from "../ground/Disk.ts"
import { ifThere } from "../ground/DiskError.ts"
import { nameNew, temporaryPrefix } from "./NewFile.ts"
import { attempt } from "./StorageFailed.ts"

/**
 * Small files that must last (secrets, keys, camera names, policies): whole or not there, also after a power cut. Their
 * folder must be there. An fsync stops for 100 ms and more on an SD card that records.
 */
export class SmallFiles extends Context.Service<
  SmallFiles,
  {
    /** replaces the file: who reads it sees the old text or the new one; for the owner only, if nothing else is said */
    readonly write: (path: string, text: string, mode?: number) => Effect.Effect<void, DependencyFailed>
    /** writes the file only when there is none, and gives the text that it has then: of two who try, both get the first's */
    readonly writeOnce: (path: string, text: string, mode?: number) => Effect.Effect<string, DependencyFailed>
    /** the file's text; none when there is no such file */
    readonly read: (path: string) => Effect.Effect<Option.Option<string>, DependencyFailed>
  }
>()("camera-service/storage/SmallFiles") {
  static readonly layer = Layer.effect(
    SmallFiles,
    Effect.gen(function* () {
      const disk = yield* Disk
      const { uuidV4 } = yield* SecureRandom

      const writeAside = Effect.fnUntraced(function* (folder: string, text: string, mode: number) {
        const aside = join(folder, `${temporaryPrefix}${yield* uuidV4()}`)
        yield* disk.create(aside, mode).pipe(
          Effect.tap((file) => file.append(new TextEncoder().encode(text))),
          Effect.tap((file) => file.sync),
          Effect.scoped,
          Effect.onError(() => Effect.ignore(disk.remove(aside)))
        )
        return aside
      })

      /** The file under a temporary name, on the disk; the disk that loses one has another one to write. */
      const aside = (path: string, text: string, mode: number) =>
        Effect.retry(writeAside(dirname(path), text, mode), { times: 1, while: ({ code }) => code === "EIO" })

      const textOf = (path: string) => Effect.map(ifThere(disk.text(path)), Option.fromUndefinedOr)

      const replace = Effect.fnUntraced(function* (path: string, text: string, mode: number) {
        const from = yield* aside(path, text, mode)
        yield* Effect.onError(disk.rename(from, path), () => Effect.ignore(disk.remove(from)))
        yield* disk.sync(dirname(path))
      })

      const make = Effect.fnUntraced(function* (path: string, text: string, mode: number) {
        // as a rule it is, and a look costs no sync
        const there = yield* ifThere(disk.text(path))
        if (there !== undefined) return there
        const from = yield* aside(path, text, mode)
        return yield* nameNew(disk, from, path).pipe(
          Effect.tap((isNew) => (isNew ? disk.sync(dirname(path)) : Effect.void)),
          Effect.flatMap((isNew) => (isNew ? Effect.succeed(text) : disk.text(path))),
          Effect.ensuring(Effect.ignore(disk.remove(from)))
        )
      })

      return SmallFiles.of({
        write: (path, text, mode = ownerOnly) => attempt("write a settings file", replace(path, text, mode)),
        writeOnce: (path, text, mode = ownerOnly) => attempt("write a settings file", make(path, text, mode)),
        read: (path) => attempt("read a settings file", textOf(path))
      })
    })
  )
}

const ownerOnly = 0o600
