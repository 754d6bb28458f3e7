import { assert } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { readdirSync, readlinkSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Certificate } from "../../src/config/Certificate.ts"
import { ApiKeys } from "../../src/auth/ApiKeys.ts"
import { Credentials } from "../../src/auth/Credentials.ts"
import { FailedLogins } from "../../src/auth/FailedLogins.ts"
import { SignedUrls } from "../../src/auth/SignedUrls.ts"
import { Tokens } from "../../src/auth/Tokens.ts"
import { Network } from "../../src/ground/Network.ts"
import * as Downloads from "../../src/http/Downloads.ts"
import { PublicHttp } from "../../src/http/PublicHttp.ts"
import { VisitLimits } from "../../src/http/VisitLimits.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { indexed, settingsWith, storageAt, temporaryFolder } from "../storage/Workbench.ts"
import { type Answer, ask } from "./Client.ts"

const settings = settingsWith({ server: { host: "127.0.0.1", port: 0 } })
export const running = Layer.unwrap(
  Effect.map(temporaryFolder, (root) =>
    Downloads.layer.pipe(
      Layer.provide([Credentials.layer, VisitLimits.layer, FailedLogins.layer]),
      Layer.provideMerge(SignedUrls.layer),
      Layer.provideMerge(ApiKeys.layer),
      Layer.provideMerge(Layer.merge(PublicHttp.layer, Tokens.layer)),
      Layer.provide(Certificate.layer),
      Layer.provide([settings, Network.layer]),
      Layer.provideMerge(storageAt(root))
    )
  )
)

export const tokenFor = Effect.fnUntraced(function* (cameras?: ReadonlyArray<string>) {
  const tokens = yield* Tokens
  const grant = { userId: "someone", role: "viewer", timeToLive: Duration.hours(1) } as const
  return Redacted.value(yield* tokens.sign(cameras === undefined ? grant : { ...grant, cameras }))
})

/** As an authenticated client that may see every camera. */
export const get = Effect.fnUntraced(function* (path: string, headers: Record<string, string> = {}, method = "GET") {
  const { address } = yield* PublicHttp
  const authorization = `Bearer ${yield* tokenFor()}`
  return yield* ask(address.port, path, { method, headers: { authorization, ...headers } })
})

/** What a refusal says, which has to be what is wrong and what to do. */
export const refused = (answer: Answer, status: number) => {
  assert.strictEqual(answer.status, status, answer.body)
  assert.strictEqual(answer.headers["content-type"], "application/json")
  const { error } = JSON.parse(answer.body) as {
    readonly error: { readonly message: string; readonly data: { readonly suggestion: string } }
  }
  const said = { error: error.message, suggestion: error.data.suggestion }
  assert.match(said.error, /\w{2}/)
  assert.match(said.suggestion, /\w{2}/)
  return said
}

/** A recording of camera0 with these bytes, on disk and in the index. */
export const recorded = Effect.fnUntraced(function* (filename: string, bytes: string | Uint8Array) {
  const folder = yield* DataFolder
  const index = yield* FileIndex
  const path = join(folder.recordings, filename)
  yield* Effect.promise(() => writeFile(path, bytes))
  yield* index.put(indexed({ filename, bytes: bytes.length }))
  return path
})

export const digits = "0123456789"

export const holdsOpen = (path: string): boolean =>
  readdirSync("/proc/self/fd").some((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path
    } catch {
      return false
    }
  })
