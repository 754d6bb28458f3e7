import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { homedir } from "node:os"
import { Role } from "../../schema/Auth.ts"
import { CameraPattern } from "../../schema/Camera.ts"
import { Tokens } from "../auth/Tokens.ts"
import { reachableHere, urlAuthority } from "../config/Hosts.ts"
import { load, type Origin } from "../config/Load.ts"
import { liveNow, Settings, settingsOf } from "../config/Settings.ts"
import { isSecured } from "../config/Tls.ts"
import { SmallFiles } from "../storage/SmallFiles.ts"
import { DataFolder, standardFolders, StandardFolders } from "../storage/DataFolder.ts"
import { BadUsage } from "./BadUsage.ts"

export interface TokenOptions {
  readonly role: string | undefined
  readonly user: string
  readonly cameras: string | undefined
  /** such as 30m, 12h, 7d */
  readonly ttl: string
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** The whole seconds that an option says: `90s`, `30m`, `12h`, `7d`. */
export const secondsIn = (text: string, option: string): Effect.Effect<number, BadUsage> => {
  const refuse = (rule: string) =>
    Effect.fail(new BadUsage({ detail: `${option} ${text}: must be ${rule}, such as 12h` }))
  const [, amount, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  if (unit === undefined) return refuse("a number and s, m, h or d")
  const seconds = Number(amount) * (unitSeconds[unit] ?? 0)
  return seconds > 0 ? Effect.succeed(seconds) : refuse("more than 0")
}

/**
 * A JWT that the service of this data folder and configuration accepts, in words whose secret signed it, and a link that logs
 * in with it: browsers send no fragment, and the console takes it out of the address at once. A new secret
 * is made only where the service itself would make it: not beside a service's folder that this user may not write to.
 */
export const token = Effect.fnUntraced(function* (options: TokenOptions, from: Origin) {
  const role = yield* Effect.mapError(
    Schema.decodeUnknownEffect(Role)(options.role),
    () => new BadUsage({ detail: "--role: must be viewer, operator or admin" })
  )
  const cameras =
    options.cameras === undefined
      ? undefined
      : yield* Effect.mapError(
          Schema.decodeEffect(Schema.Array(CameraPattern))(options.cameras.split(",")),
          () =>
            new BadUsage({
              detail: "--cameras: must be camera names or globs with commas between, such as camera0,camera1*"
            })
        )
  const timeToLive = Duration.seconds(yield* secondsIn(options.ttl, "--ttl"))
  const settings = yield* settingsOf((yield* load(from)).configuration)
  const context = Layer.mergeAll(
    Layer.succeed(Settings, settings),
    Layer.succeed(StandardFolders, standardFolders(homedir(), from.environment["XDG_STATE_HOME"]))
  )
  const folders = yield* Layer.build(DataFolder.layerOfToken.pipe(Layer.provide(context)))
  const { root } = Context.get(folders, DataFolder)
  const tokens = Tokens.layer.pipe(Layer.provide([Layer.succeedContext(folders), SmallFiles.layer, context]))
  const signed = yield* Effect.flatMap(Tokens, ({ sign }) =>
    sign({ userId: options.user, role, timeToLive, ...(cameras === undefined ? {} : { cameras }) })
  ).pipe(Effect.provide(tokens))
  const isConfigured = Redacted.value(settings.boot.auth.jwt_secret) !== ""
  const { public_host } = liveNow(settings).server
  const { server, tls } = settings.boot
  const [scheme, port] = isSecured(settings.boot) ? ["https", tls.port] : ["http", server.port]
  return {
    signed: Redacted.value(signed),
    link: `${scheme}://${urlAuthority(public_host || reachableHere(server.host), port)}/#token=${Redacted.value(signed)}`,
    secretOf: isConfigured ? "auth.jwt_secret of the configuration" : `the secret of ${root}`
  }
}, Effect.scoped)
