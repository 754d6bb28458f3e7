import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { NoReply, tooLarge } from "../src/ground/Loopback.ts"
import { type Interface, Multicast, NotSent } from "../src/ground/Multicast.ts"
import { otherCertificate } from "../src/ground/Fingerprint.ts"
import type { WebReply, WebRequest } from "../src/ground/WebExchange.ts"

/** A datagram that is sent back. */
export interface SentBack {
  readonly words: string
  /** at once where it is left out */
  readonly after?: Duration.Input
  /** the machine's own address where it is left out */
  readonly from?: string
}

/** The other machines of the network: what they hear, and what they say to it. */
export class Neighbours extends Context.Service<
  Neighbours,
  {
    /** what leads to them; a test may change it */
    readonly interfaces: Array<Interface>
    /** hears what is sent to all, as long as the scope lives; `by`: the interface that it was sent from */
    readonly listen: (
      address: string,
      hear: (words: string, by: Interface) => ReadonlyArray<SentBack>
    ) => Effect.Effect<void, never, Scope.Scope>
    /** serves HTTP, as long as the scope lives */
    readonly serve: (
      address: string,
      port: number,
      answer: (request: WebRequest) => Effect.Effect<WebReply, NoReply>
    ) => Effect.Effect<void, never, Scope.Scope>
    /** SHA-256 of the certificates that those show who serve HTTPS, in hex, by `192.168.1.64:443`; a test may change it */
    readonly certificates: Map<string, string>
    /** what somebody in the network answers; nobody has another address */
    readonly ask: (request: WebRequest) => Effect.Effect<WebReply, NoReply>
  }
>()("camera-service/testing/Neighbours") {
  static readonly layer: Layer.Layer<Neighbours | Multicast> = Layer.effectContext(
    Effect.sync(() => {
      const interfaces: Array<Interface> = [{ name: "eth0", address: "192.168.1.2", bits: 24 }]
      const listeners = new Map<string, (words: string, by: Interface) => ReadonlyArray<SentBack>>()
      const servers = new Map<string, (request: WebRequest) => Effect.Effect<WebReply, NoReply>>()
      const certificates = new Map<string, string>()
      const keep = <A>(all: Map<string, A>, key: string, one: A) =>
        Effect.asVoid(
          Effect.acquireRelease(
            Effect.sync(() => all.set(key, one)),
            () => Effect.sync(() => all.delete(key))
          )
        )
      const neighbours = Neighbours.of({
        interfaces,
        certificates,
        listen: (address, hear) => keep(listeners, address, hear),
        serve: (address, port, answer) => keep(servers, `${address}:${port}`, answer),
        ask: (request) =>
          Effect.suspend(() => {
            const answer = servers.get(`${request.address}:${request.port}`)
            if (answer === undefined) {
              const detail = `connect EHOSTUNREACH ${request.address}:${request.port}`
              return Effect.fail(new NoReply({ detail, code: "EHOSTUNREACH" }))
            }
            const seen = request.isSecure ? certificates.get(`${request.address}:${request.port}`) : undefined
            if (request.isSecure && request.fingerprint !== undefined && request.fingerprint !== seen) {
              return Effect.fail(new NoReply({ detail: `another certificate: ${seen}`, code: otherCertificate }))
            }
            return Effect.flatMap(answer(request), (reply) =>
              reply.body.length > request.maxBytes
                ? Effect.fail(new NoReply({ detail: "the reply is too large", code: tooLarge }))
                : Effect.succeed({ ...reply, ...(seen === undefined ? {} : { fingerprint: seen }) })
            )
          })
      })
      const multicast = Multicast.of({
        interfaces: () => interfaces,
        open: Effect.fnUntraced(function* (by, heard) {
          const scope = yield* Effect.scope
          const isThere = () => interfaces.some(({ address }) => address === by.address)
          return (_group, words) =>
            Effect.gen(function* () {
              if (!isThere()) return yield* new NotSent({ code: "ENETUNREACH" })
              for (const [address, hear] of listeners) {
                for (const { after = 0, from = address, words: said } of hear(words, by)) {
                  const say = Effect.sync(() => heard({ from, bytes: new TextEncoder().encode(said) }))
                  yield* Effect.forkIn(Effect.delay(say, after), scope)
                }
              }
            })
        })
      })
      return Context.make(Neighbours, neighbours).pipe(Context.add(Multicast, multicast))
    })
  )
}
