import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { join } from "node:path"
import { certificates, shownAt } from "./Certificate.ts"
import { eventually } from "./Eventually.ts"

/*
 * Proxies that others made, each with the example that comes with the service: the ports and the certificate are other ones
 * here, and all else is as it stands there.
 */

const examples = join(import.meta.dirname, "../../packaging/proxy")
const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "camera-service")

/** The host that the examples are for. */
export const publicName = "cameras.example"

/** Where scripts/setup has put the program; undefined: it could not be had. */
export const proxyProgram = (name: "nginx" | "caddy"): string | undefined =>
  [join(cache, name, name), `/usr/sbin/${name}`, `/usr/bin/${name}`].find((file) => existsSync(file))

/** An example, with each of these texts in the place of another. */
const exampleWith = (name: string, changes: Readonly<Record<string, string>>): string => {
  let text = readFileSync(join(examples, name), "utf8")
  for (const [before, after] of Object.entries(changes)) {
    if (!text.includes(before)) throw new Error(`${name} says nothing of ${before}`)
    text = text.replaceAll(before, after)
  }
  return text
}

interface Place {
  readonly program: string
  /** where the proxy listens, by TLS, on all addresses */
  readonly port: number
  /** the service's */
  readonly server: number
}

/** A proxy that runs until the scope closes; gives whom to trust for its certificate. */
type Run = (place: Place, folder: string) => Effect.Effect<string, never, Scope.Scope>

const running = (program: string, args: ReadonlyArray<string>, folder: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
      return spawn(program, args, { env, stdio: ["ignore", "ignore", "inherit"] })
    }),
    (child) =>
      Effect.promise(async () => {
        const gone = once(child, "exit")
        if (child.exitCode === null && child.kill("SIGTERM")) await gone
      })
  )

const nginx: Run = Effect.fnUntraced(function* ({ port, program, server }, folder) {
  const { cert, key, make, put } = yield* certificates
  const pair = make(90, `DNS:${publicName}`)
  put(pair)
  const site = exampleWith("nginx.conf", {
    "listen 443 ssl": `listen ${port} ssl`,
    "/etc/nginx/tls/cameras.example.pem": cert,
    "/etc/nginx/tls/cameras.example.key": key,
    "127.0.0.1:8002": `127.0.0.1:${server}`
  })
  const own = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`)
  const main = [
    "daemon off; master_process off; error_log stderr error;",
    `pid ${folder}/pid;`,
    `events {} http { ${own.join(" ")}`,
    site,
    "}"
  ]
  writeFileSync(join(folder, "nginx.conf"), main.join("\n"))
  yield* running(program, ["-p", folder, "-c", join(folder, "nginx.conf"), "-e", "stderr"], folder)
  return pair.cert
})

const caddy: Run = Effect.fnUntraced(function* ({ port, program, server }, folder) {
  // a certificate that nobody on the Internet has to make, and no log
  const own = `{\nadmin off\nlocal_certs\nskip_install_trust\nauto_https disable_redirects\nhttps_port ${port}\nlog {\noutput discard\n}\n}\n`
  const file = join(folder, "Caddyfile")
  writeFileSync(file, own + exampleWith("Caddyfile", { "127.0.0.1:8002": `127.0.0.1:${server}` }))
  yield* running(program, ["run", "--config", file, "--adapter", "caddyfile"], folder)
  const authority = join(folder, "caddy/pki/authorities/local/root.crt")
  yield* eventually(
    "Caddy has an authority",
    Effect.sync(() => existsSync(authority))
  )
  return readFileSync(authority, "utf8")
})

const runs = { nginx, caddy }

/** Starts one, and waits until it listens; gives whom to trust for its certificate. */
export const startProxy = Effect.fnUntraced(function* (name: keyof typeof runs, place: Place) {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "camera-service-proxy-"))),
    (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true, maxRetries: 5 }))
  )
  mkdirSync(join(folder, "logs"))
  const authority = yield* runs[name](place, folder)
  yield* eventually(
    `${name} listens`,
    Effect.map(shownAt(place.port, publicName), (shown) => /^[0-9A-F]+$/.test(shown))
  )
  return authority
})
