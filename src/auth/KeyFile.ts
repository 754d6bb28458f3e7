import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { join } from "node:path"
import { Role } from "../../schema/Auth.ts"
import { CameraPattern } from "../../schema/Camera.ts"
import { DependencyFailed } from "../../schema/Errors.ts"
import { DataFolderUnusable } from "../config/StartupErrors.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import { SmallFiles } from "../storage/SmallFiles.ts"

/** A key as it is kept; times are epoch milliseconds. */
const ApiKey = Schema.Struct({
  id: Schema.String,
  /**
   * SHA-256 of the secret, in hexadecimal. Nobody guesses 256 random bits from it, however fast a hash is computed: the
   * slow hashes that passwords need would only cost us time at every login.
   */
  hash: Schema.String,
  kind: Schema.Literals(["api", "viewing"]),
  role: Role,
  cameras: Schema.optionalKey(Schema.Array(CameraPattern)),
  description: Schema.optionalKey(Schema.String),
  createdBy: Schema.String,
  /** the key that a viewing key was made with, and ends with */
  parent: Schema.optionalKey(Schema.String),
  /** the terms of the token that a viewing key was made with (`TokenTerms.id`), and ends with */
  terms: Schema.optionalKey(Schema.String),
  createdAt: Schema.Finite,
  expiresAt: Schema.Finite,
  revokedAt: Schema.optionalKey(Schema.Finite),
  lastUsed: Schema.optionalKey(Schema.Finite)
})
export type ApiKey = typeof ApiKey.Type

const Stored = Schema.fromJsonString(Schema.Struct({ keys: Schema.Array(ApiKey) }))

/** Where keys last: `secrets/api_keys.json`. A file that cannot be understood ends the start: keys are not lost unnoticed. */
export const keyFile = Effect.gen(function* () {
  const folder = yield* DataFolder
  const smallFiles = yield* SmallFiles
  const path = join(folder.secrets, "api_keys.json")
  const unreadable = () =>
    new DataFolderUnusable({
      folder: folder.secrets,
      detail: "api_keys.json cannot be understood: mend it, or delete it and all keys with it"
    })
  const text = yield* smallFiles.read(path)
  const { keys } = Option.isNone(text)
    ? { keys: [] }
    : yield* Effect.mapError(Schema.decodeEffect(Stored)(text.value), unreadable)
  return {
    keys,
    write: (keys: ReadonlyArray<ApiKey>) => smallFiles.write(path, `${JSON.stringify({ keys }, undefined, 1)}\n`)
  }
})

/** That a key ended could not be written. */
export const notWritten = ({ dependency, detail }: DependencyFailed) =>
  new DependencyFailed({
    dependency,
    detail,
    suggestion: "the key is refused already, but would be back after a restart: mend the disk, and revoke it again"
  })
