import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { get } from "node:https"
import { connect, type Socket } from "node:net"
import { connect as connectSecure } from "node:tls"
import { Network } from "../../src/ground/Network.ts"
import { serverCertificate } from "../../src/ground/ServerCertificate.ts"
import type { Host, RequestHead } from "../../src/ground/Visits.ts"
import { certificates, type Pair, shownAt } from "../support/Certificate.ts"
import { eventually } from "../support/Eventually.ts"

const noCertificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"

const certificateOf = ({ cert, key }: Pair) => serverCertificate(cert, Redacted.make(key))

const serving = Effect.fnUntraced(function* (first: Pair) {
  const network = yield* Network
  const heads: Array<RequestHead> = []
  const host: Host = {
    answer: (request) => {
      heads.push(request)
      return Effect.succeed({ status: 200, headers: {}, body: "hello" })
    },
    admit: () => ({ status: 404, headers: {}, body: "" })
  }
  const { address, show } = yield* network.listenSecure(
    { host: "127.0.0.1", port: 0 },
    host,
    yield* certificateOf(first)
  )
  return { port: address.port, show, heads }
})

it.live("who comes by TLS is answered, and is shown another certificate as soon as there is one; nobody is cut", () =>
  Effect.gen(function* () {
    const { make } = yield* certificates
    const [one, other] = [make(), make()]
    const { heads, port, show } = yield* serving(one)
    const socket = yield* Effect.acquireRelease(
      Effect.callback<ReturnType<typeof connectSecure>>((resume) => {
        const made = connectSecure({ host: "localhost", port, ca: one.cert, servername: "localhost" }, () =>
          resume(Effect.succeed(made))
        )
      }),
      (made) => Effect.sync(() => made.destroy())
    )
    const asked = Effect.callback<string>((resume) => {
      socket.once("data", (bytes: Buffer) => resume(Effect.succeed(bytes.toString())))
      socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    })
    assert.match(yield* asked, /^HTTP\/1\.1 200 .*hello/s)
    yield* show(yield* certificateOf(other))
    assert.strictEqual(yield* shownAt(port), other.serial)
    assert.match(yield* asked, /^HTTP\/1\.1 200 .*hello/s)
    assert.isTrue(heads.every(({ address, isSecure }) => isSecure && address === "127.0.0.1"))
  }).pipe(Effect.scoped, Effect.provide(Network.layer))
)

it.live("a thousand connections that never say hello keep nobody out", () =>
  Effect.gen(function* () {
    const pair = (yield* certificates).make()
    const { port } = yield* serving(pair)
    const sockets: Array<Socket> = []
    yield* Effect.addFinalizer(() => Effect.sync(() => sockets.forEach((socket) => socket.destroy())))
    let open = 0
    let cut = 0
    for (let i = 0; i < 1010; i++) {
      const socket = connect({ host: "127.0.0.1", port }, () => void open++)
      socket.on("error", () => undefined)
      socket.on("close", () => void cut++)
      sockets.push(socket)
    }
    yield* eventually(
      "ten of them had to go",
      Effect.sync(() => open === 1010 && cut === 10)
    )
    const status = yield* Effect.callback<number | undefined>((resume) => {
      get({ host: "localhost", port, ca: pair.cert }, ({ statusCode }) => resume(Effect.succeed(statusCode)))
    })
    assert.strictEqual(status, 200)
  }).pipe(Effect.scoped, Effect.provide(Network.layer))
)

it.effect("what is no certificate, or not its key, is refused in words that show nothing of the key", () =>
  Effect.gen(function* () {
    const { make } = yield* certificates
    const [one, other] = [make(), make()]
    assert.isAbove((yield* certificateOf(one)).validTo, Date.now())
    for (const [pair, word] of [
      [{ ...one, key: other.key }, "not that of the first certificate"],
      [{ ...one, cert: "" }, "no certificate"],
      [{ ...one, cert: one.key }, "no certificate"],
      [{ ...one, key: one.cert }, "no key"],
      [{ ...one, cert: `${one.cert}${noCertificate}` }, "what follows its first certificate"]
    ] as const) {
      const { detail } = yield* Effect.flip(certificateOf(pair))
      assert.include(detail, word)
    }
  }).pipe(Effect.scoped)
)
