import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { SecureRandom } from "effect/crypto/SecureRandom"
import { join, resolve } from "node:path"
import type { Role } from "../../schema/Auth.ts"
import { CameraClient } from "../../schema/client/CameraClient.ts"
import { reachableHere, urlAuthority } from "../config/Hosts.ts"
import { load, type Origin } from "../config/Load.ts"
import { Settings, settingsOf } from "../config/Settings.ts"
import { plainServer } from "../config/Tls.ts"
import { findFolder } from "../doctor/Folder.ts"
import { Disk } from "../ground/Disk.ts"
import type { KernelFiles } from "../ground/KernelFiles.ts"
import type { Machine } from "../ground/Machine.ts"
import type { Threads } from "../ground/Threads.ts"
import { BadUsage } from "./BadUsage.ts"
import { CallFailed } from "./CallFailed.ts"
import { hereIn, trustedAcceptors, trustedListeners, unseen } from "./TrustedListeners.ts"
import { token } from "./Token.ts"

/** Which service is asked. */
export interface Place {
  /** `ws://host:8002/ws`; undefined: the one of the configuration, on this machine */
  readonly url: string | undefined
  /** a file with a token or an API key; undefined: one is signed with the secret of the data folder */
  readonly tokenFile: string | undefined
}

/** A service that is there answers within milliseconds. */
const patience = Duration.seconds(5)
/** A command that takes longer has the next one signed meanwhile. */
const shortly = "1m"

/** A client of that service for as long as the scope lives, which may what this role may where no other token is given. */
export const connect = Effect.fnUntraced(function* (place: Place, role: Role, from: Origin, ttl = shortly) {
  const next: Effect.Effect<Redacted.Redacted, unknown> = yield* tokens(place, role, from, ttl)
  const target = yield* targetOf(place, from)
  const { here, url } = target
  /** where its files are, as this process reaches it */
  const origin = url.replace(/^ws(s?:\/\/[^/?#]*).*$/i, "http$1")
  if (here === undefined) return { ...(yield* CameraClient.make({ url, patience, token: next })), origin }
  const context = yield* Effect.context<Disk | KernelFiles | Machine>()
  // now, for the words; and with each connection, by when somebody listens, and has taken it
  yield* trustedListeners(here)
  const known = Effect.filterOrFail(
    trustedListeners(here),
    (owners) => owners.length > 0,
    () => unseen(here)
  ).pipe(Effect.andThen(trustedAcceptors(here)), Effect.provideContext(context))
  return { ...(yield* CameraClient.make({ url, patience, token: Effect.andThen(known, next) })), origin }
})

/** Its URL, and where that is on this machine. */
const targetOf = Effect.fnUntraced(function* ({ url }: Place, from: Origin) {
  const local = url === undefined ? undefined : yield* hereIn(url)
  if (url !== undefined && local === undefined) return { url, here: undefined }
  const settings = yield* settingsOf((yield* load(from)).configuration)
  const { path: folder } = yield* Effect.provideService(findFolder, Settings, settings)
  const { port, ...server } = plainServer(settings.boot)
  const host = reachableHere(server.host)
  return url === undefined || local === undefined
    ? { url: `ws://${urlAuthority(host, port)}/ws`, here: { hosts: [host], port, folder } }
    : { url, here: { ...local, folder } }
})

/** What gives the token for each connection; fails now where it would then. It is never an argument, which others can read. */
const tokens = Effect.fnUntraced(function* ({ tokenFile, url }: Place, role: Role, from: Origin, ttl: string) {
  const context = yield* Effect.context<Disk | SecureRandom | Threads>()
  if (tokenFile === undefined) {
    if (url !== undefined) return yield* new BadUsage({ detail: "--url needs --token-file FILE" })
    yield* requireSecret(from)
    const sign = Effect.map(token({ user: "shell", cameras: undefined, role, ttl }, from), ({ signed }) =>
      Redacted.make(signed)
    )
    yield* sign
    return Effect.provideContext(sign, context)
  }
  const read = Effect.flatMap(Disk, (disk) => disk.text(resolve(tokenFile))).pipe(
    Effect.mapError(({ code }) => new CallFailed({ detail: `${tokenFile} cannot be read (${code})` })),
    Effect.map((text) => Redacted.make(text.trim()))
  )
  yield* read
  return Effect.provideContext(read, context)
})

/** A secret that is made here would be ours: who asks a service signs with the one that it has. */
const requireSecret = Effect.fnUntraced(function* (from: Origin) {
  const settings = yield* settingsOf((yield* load(from)).configuration)
  if (Redacted.value(settings.boot.auth.jwt_secret) !== "") return
  const { path } = yield* Effect.provideService(findFolder, Settings, settings)
  const disk = yield* Disk
  if (yield* Effect.isSuccess(disk.text(join(path, "secrets", "jwt_secret")))) return
  const detail = `${path} has no secret that can be read here: start the service, run this as its user, or use --token-file FILE`
  return yield* new CallFailed({ detail })
})
