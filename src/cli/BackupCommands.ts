import * as Effect from "effect/Effect"
import { resolve } from "node:path"
import type { Origin } from "../config/Load.ts"
import { writeNew } from "../doctor/NewFile.ts"
import { backup as make } from "./Backup.ts"
import { bytesOf } from "./BackupFile.ts"
import { BackupUnusable } from "./BackupUnusable.ts"
import type { Print } from "./Output.ts"
import { restore as putBack } from "./Restore.ts"

/** Where the shell says. */
const standard = "-"

const standardInput = Effect.promise(async () => {
  const chunks: Array<Uint8Array> = []
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) chunks.push(chunk)
  return new Uint8Array(Buffer.concat(chunks))
})

export const backup = Effect.fnUntraced(function* (file: string, from: Origin, print: Print) {
  const { missing, packed } = yield* make(from)
  yield* file === standard ? print(packed) : writeNew(file, packed)
  const name = file === standard ? "the backup" : file
  const words = `${name} has what a box needs to be this one again, its secrets too: keep it where nobody else reads it`
  return missing.length === 0 ? words : `${words}. It lacks what the environment sets: ${missing.join(", ")}`
})

export const restore = Effect.fnUntraced(function* (file: string, from: Origin) {
  const bytes =
    file === standard
      ? yield* standardInput
      : yield* Effect.mapError(
          bytesOf(resolve(file)),
          ({ code }) => new BackupUnusable({ file, detail: `it cannot be read (${code})` })
        )
  return yield* putBack(file, bytes, from)
})
