import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { parseAddress, parseNetwork } from "../ground/IpAddress.ts"
import { ownPorts } from "../config/Ports.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { hashHex } from "../ground/Hashes.ts"
import { Resolver } from "../ground/Resolver.ts"
import { monotonicNow } from "../ground/Time.ts"
import { RtspFailed } from "../rtsp/RtspFailed.ts"
import type { RtspCredentials, RtspTarget } from "../rtsp/Target.ts"
import { Trials } from "../rtsp/Trials.ts"
import { refusalOf } from "./AddressRules.ts"
import { requestUri, type StreamSecret, type StreamUrl } from "./StreamUrl.ts"

/** It stands for an address where cameras may not be; `why` in words that follow "it is". */
export class AddressRefused extends Schema.TaggedError<AddressRefused>()("AddressRefused", { why: Schema.String }) {}

/** A name server that is silent makes a camera unreachable, as the camera's own silence does. */
const lookupTime = Duration.seconds(2)
/** Passwords at cameras: more than there can be streams. */
const mostTrials = 1024

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
      const clock = yield* monotonicNow
      const trials = new Map<string, Trials>()

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

      /** Another password has no trials yet; the latest last. */
      const trialsOf = (address: string, { password, user }: NonNullable<StreamSecret["credentials"]>): Trials => {
        const key = hashHex("sha256", JSON.stringify([address, user, password]))
        const found = trials.get(key) ?? new Trials(clock)
        trials.delete(key)
        trials.set(key, found)
        for (const old of trials.keys()) if (trials.size > mostTrials) trials.delete(old)
        return found
      }

      const credentialsOf = ({ secret }: StreamUrl, address: string): RtspCredentials | undefined => {
        const { credentials } = Redacted.value(secret)
        if (credentials === undefined) return undefined
        return {
          user: credentials.user,
          password: Redacted.make(credentials.password),
          mayBeSentInClear: liveNow(settings).external.allow_basic_over_plaintext,
          trials: trialsOf(address, credentials)
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
