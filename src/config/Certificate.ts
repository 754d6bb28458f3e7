import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { ServerCertificate } from "../ground/ServerCertificate.ts"
import { isoTime } from "../ground/Time.ts"
import { readCertificate } from "./ReadCertificate.ts"
import { Settings } from "./Settings.ts"
import { isSecured } from "./Tls.ts"
import { watchFiles } from "./WatchedFiles.ts"

/** Who replaces a certificate and its key has done so with both by then. */
const quiet = Duration.seconds(1)

/**
 * The certificate for who comes by TLS. Its files are followed: each pair that fits takes the place of the one before;
 * files that are no certificate and its key change nothing, and are told of once.
 */
export class Certificate extends Context.Service<
  Certificate,
  {
    /** undefined: nothing is encrypted */
    readonly shown: SubscriptionRef.SubscriptionRef<ServerCertificate> | undefined
  }
>()("camera-service/config/Certificate") {
  static readonly layer = Layer.effect(
    Certificate,
    Effect.gen(function* () {
      const { boot } = yield* Settings
      return { shown: isSecured(boot) ? yield* follow(boot.tls) : undefined }
    })
  )
}

const follow = Effect.fnUntraced(function* (files: Settings["Service"]["boot"]["tls"]) {
  const shown = yield* SubscriptionRef.make(yield* readCertificate)
  let refused: string | undefined

  const take = Effect.fnUntraced(function* (next: ServerCertificate) {
    refused = undefined
    const { chain, key } = SubscriptionRef.getUnsafe(shown)
    if (next.chain === chain && Redacted.value(next.key) === Redacted.value(key)) return
    yield* SubscriptionRef.set(shown, next)
    yield* Effect.logInfo("another certificate is shown from now on", {
      names: next.names,
      valid_to: isoTime(next.validTo)
    })
  })
  const look = readCertificate.pipe(
    Effect.flatMap(take),
    Effect.catch(({ message }) => {
      if (message === refused) return Effect.void
      refused = message
      return Effect.logWarning(`${message}; the certificate before it stays`)
    }),
    Effect.delay(quiet)
  )
  yield* watchFiles("the certificate", [files.certificate_file, files.key_file], look)
  return shown
})
