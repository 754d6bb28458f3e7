import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Disk } from "../ground/Disk.ts"
import { serverCertificate } from "../ground/ServerCertificate.ts"
import { Settings } from "./Settings.ts"
import { CertificateUnusable } from "./StartupErrors.ts"

/** Chains have some kilobytes. */
const mostBytes = 256 << 10

/** The certificate in `tls.certificate_file`, with the key in `tls.key_file`, as they are there now. */
export const readCertificate = Effect.gen(function* () {
  const disk = yield* Disk
  const { certificate_file, key_file } = (yield* Settings).boot.tls

  /** What is no file (a pipe that nobody writes to) would hold its reader for ever. */
  const textOf = Effect.fnUntraced(
    function* (file: string) {
      const real = yield* disk.realPath(file)
      const { bytes, kind } = yield* disk.state(real)
      if (kind !== "file" || bytes > mostBytes) return yield* new CertificateUnusable({ file, detail: "no such file" })
      return yield* disk.text(real)
    },
    (reading, file) =>
      Effect.catchTag(reading, "DiskError", ({ code }) =>
        Effect.fail(new CertificateUnusable({ file, detail: `it cannot be read (${code})` }))
      )
  )

  const chain = yield* textOf(certificate_file)
  const key = Redacted.make(yield* textOf(key_file))
  return yield* Effect.mapError(
    serverCertificate(chain, key),
    ({ detail }) => new CertificateUnusable({ file: certificate_file, detail })
  )
})
