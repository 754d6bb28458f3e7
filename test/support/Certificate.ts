import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connect } from "node:tls"

export interface Pair {
  readonly cert: string
  readonly key: string
  /** as `shownAt` tells it */
  readonly serial: string
}

/** A folder, and what makes certificates for this machine, each signed with its own key. */
export const certificates = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "camera-service-tls-"))),
    (made) => Effect.sync(() => rmSync(made, { recursive: true }))
  )
  const files = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") }
  let made = 0x10

  const make = (days = 90, names = "DNS:localhost,IP:127.0.0.1"): Pair => {
    const serial = (made++).toString(16).toUpperCase()
    const [cert, key] = [join(folder, `${serial}.crt`), join(folder, `${serial}.key`)]
    const about = ["-subj", "/CN=box", "-addext", `subjectAltName=${names}`, "-days", String(days)]
    const how = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    execFileSync("openssl", ["req", ...how, ...about, "-set_serial", `0x${serial}`, "-out", cert, "-keyout", key], {
      stdio: "ignore"
    })
    return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8"), serial }
  }
  /** as ACME clients do: each file whole, one after the other */
  const put = ({ cert, key }: Pick<Pair, "cert" | "key">) => {
    for (const [name, text] of [
      [files.cert, cert],
      [files.key, key]
    ] as const) {
      writeFileSync(`${name}.new`, text, { mode: 0o600 })
      renameSync(`${name}.new`, name)
    }
  }
  return { ...files, make, put }
})

/** The serial number of the certificate that is shown at this port of this machine, to who asks for this name. */
export const shownAt = (port: number, servername?: string): Effect.Effect<string> =>
  Effect.callback((resume) => {
    const asked = { host: "127.0.0.1", port, rejectUnauthorized: false }
    const socket = connect(servername === undefined ? asked : { ...asked, servername }, () => {
      resume(Effect.succeed(socket.getPeerCertificate().serialNumber))
      socket.destroy()
    })
    socket.on("error", (cause) => resume(Effect.succeed(cause.message)))
  })
