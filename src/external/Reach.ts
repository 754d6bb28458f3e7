import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { parseAddress, parseNetwork } from "../config/Address.ts"
import { ownPorts } from "../config/Ports.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { hashHex } from "../ground/Hashes.ts"
import { Resolver } from "../ground/Resolver.ts"
import { monotonicNow } from "../ground/Time.ts"
import { type Account, makeAccount } from "../rtsp/Account.ts"
import { RtspFailed } from "../rtsp/RtspFailed.ts"
import type { RtspCredentials, RtspTarget } from "../rtsp/Target.ts"
import { refusalOf } from "./AddressRules.ts"
import { requestUri, type StreamUrl } from "./StreamUrl.ts"

/** It stands for an address where cameras may not be; `why` in words that follow "it is". */
export class AddressRefused extends Schema.TaggedError<AddressRefused>()("AddressRefused", { why: Schema.String }) {}

/** A name server that is silent makes a camera unreachable, as the camera's own silence does. */
const lookupTime = Duration.seconds(2)
/** More passwords of cameras than can be configured. */
const mostAccounts = 512

/** From what a URL says to where a connection goes: that is looked at each time, for names change what they stand for. */
export class Reach extends Context.Service<
  Reach,
  {
    /** The one address that may be connected to, where all addresses of its name may. */
    readonly addressOf: (url: Pick<StreamUrl, "host" | "port">) => Effect.Effect<string, RtspFailed | AddressRefused>
    /** The same with all that a session needs; `fingerprint`: of the certificate that the camera is known by. */
    readonly target: (url: StreamUrl, fingerprint?: string) => Effect.Effect<RtspTarget, RtspFailed | AddressRefused>
  }
>()("camera-service/external/Reach") {
  static readonly layer = Layer.effect(
    Reach,
    Effect.gen(function* () {
      const settings = yield* Settings
      const resolver = yield* Resolver
      const ports = ownPorts(settings.boot)

      const surroundings = () => ({
        allowed: liveNow(settings).external.allowed_hosts.flatMap((text) => parseNetwork(text) ?? []),
        own: resolver.own().flatMap((text) => [parseAddress(text) ?? []]),
        ownPorts: ports
      })

      const addressesOf = (host: string): Effect.Effect<ReadonlyArray<string>, RtspFailed> =>
        parseAddress(host) === undefined
          ? resolver.addressesOf(host).pipe(
              Effect.mapError(() => unreachable("nobody knows its name")),
              Effect.timeoutOrElse({
                duration: lookupTime,
                orElse: () => Effect.fail(unreachable("the name server does not answer"))
              })
            )
          : Effect.succeed([host])

      const addressOf = Effect.fn("Reach.addressOf")(function* ({ host, port }: Pick<StreamUrl, "host" | "port">) {
        const addresses = yield* addressesOf(host)
        const around = surroundings()
        for (const text of addresses) {
          const address = parseAddress(text)
          const why = address === undefined ? "no address that is known here" : refusalOf(address, port, around)
          if (why !== undefined) return yield* new AddressRefused({ why })
        }
        const [first] = addresses
        return first === undefined ? yield* unreachable("its name stands for no address") : first
      })

      const clock = yield* monotonicNow
      /** the latest last */
      const accounts = new Map<string, Account>()
      const accountOf = (address: string, user: string, password: string): Account => {
        const key = hashHex("sha256", JSON.stringify([address, user, password]))
        const account = accounts.get(key) ?? makeAccount(clock)
        accounts.delete(key)
        accounts.set(key, account)
        for (const oldest of accounts.keys()) if (accounts.size > mostAccounts) accounts.delete(oldest)
        return account
      }

      const credentialsOf = ({ secret }: StreamUrl, address: string): RtspCredentials | undefined => {
        const { credentials } = Redacted.value(secret)
        if (credentials === undefined) return undefined
        const { password, user } = credentials
        return {
          user,
          password: Redacted.make(password),
          mayBeSentInClear: liveNow(settings).external.allow_basic_over_plaintext,
          account: accountOf(address, user, password)
        }
      }

      const target = (url: StreamUrl, fingerprint?: string) =>
        Effect.map(addressOf(url), (address): RtspTarget => {
          const credentials = credentialsOf(url, address)
          return {
            address,
            port: url.port,
            url: requestUri(url),
            isSecure: url.scheme === "rtsps",
            ...(fingerprint === undefined ? {} : { fingerprint }),
            ...(credentials === undefined ? {} : { credentials })
          }
        })

      return Reach.of({ addressOf, target })
    })
  )
}

const unreachable = (detail: string) => new RtspFailed({ kind: "UNREACHABLE", detail })
