import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { readCertificate } from "../config/ReadCertificate.ts"
import { Settings } from "../config/Settings.ts"
import { watchFiles } from "../config/WatchedFiles.ts"
import type { ServerCertificate } from "../ground/ServerCertificate.ts"
import { isoTime } from "../ground/Time.ts"
import { certificateExpiry, observe } from "../telemetry/Metrics.ts"

/** Who replaces a certificate and its key has done so with both by then. */
const quiet = Duration.seconds(1)

/**
 * Follows the files of the certificate for as long as the scope lives: `show` is given each that takes the place of the one
 * before. Files that are no certificate and its key change nothing, and are told of once.
 */
export const followCertificate = Effect.fnUntraced(function* (
  first: ServerCertificate,
  show: (next: ServerCertificate) => Effect.Effect<void>
) {
  const { certificate_file, key_file } = (yield* Settings).boot.tls
  let shown = first
  let refused: string | undefined
  yield* observe(certificateExpiry, () => shown.validTo / 1000)

  const take = Effect.fnUntraced(function* (next: ServerCertificate) {
    refused = undefined
    if (next.chain === shown.chain && Redacted.value(next.key) === Redacted.value(shown.key)) return
    yield* show(next)
    shown = next
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
  yield* watchFiles("the certificate", [certificate_file, key_file], look)
})
