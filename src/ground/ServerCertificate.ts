import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { createPrivateKey, X509Certificate } from "node:crypto"
import { codeOf } from "./DiskError.ts"
import { fingerprintOf } from "./Fingerprint.ts"

/** What a server shows who comes by TLS: a certificate with its chain, and its key (PEM), which belong together. */
export interface ServerCertificate {
  readonly chain: string
  readonly key: Redacted.Redacted
  /** SHA-256 of the first certificate, in hex */
  readonly fingerprint: string
  /** whom it is for, as it says (`DNS:box.example, IP Address:192.0.2.7`) */
  readonly names: string
  /** epoch milliseconds */
  readonly validFrom: number
  readonly validTo: number
}

/** These are no certificate and key, or not of one another. What is said of a key is not told: it might show it. */
export class NoServerCertificate extends Schema.TaggedError<NoServerCertificate>()("NoServerCertificate", {
  detail: Schema.String
}) {}

/** What these two texts (PEM) are: all of the chain is such that Node's TLS, which is loaded for it, shows it. */
export const serverCertificate = (
  chain: string,
  key: Redacted.Redacted
): Effect.Effect<ServerCertificate, NoServerCertificate> => {
  const refuse = (detail: string) => () => new NoServerCertificate({ detail })
  return Effect.gen(function* () {
    const certificate = yield* Effect.try({
      try: () => new X509Certificate(chain),
      catch: refuse("the certificate file has no certificate (PEM) in it")
    })
    const fits = yield* Effect.try({
      try: () => certificate.checkPrivateKey(createPrivateKey(Redacted.value(key))),
      catch: refuse("the key file has no key (PEM, without a passphrase) in it")
    })
    if (!fits) return yield* refuse("the key is not that of the first certificate in the certificate file")()
    const { createSecureContext } = yield* Effect.promise(() => import("node:tls"))
    yield* Effect.try({
      try: () => createSecureContext({ cert: chain, key: Redacted.value(key) }),
      catch: (cause) =>
        new NoServerCertificate({
          detail: `the certificate file, or what follows its first certificate, cannot be shown by TLS (${codeOf(cause)})`
        })
    })
    return {
      chain,
      key,
      fingerprint: fingerprintOf(certificate),
      names: certificate.subjectAltName ?? certificate.subject,
      validFrom: certificate.validFromDate.getTime(),
      validTo: certificate.validToDate.getTime()
    }
  })
}
