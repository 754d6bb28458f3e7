import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type JsonRequest, NoReply } from "../src/ground/Loopback.ts"
import { Network } from "../src/ground/Network.ts"
import {
  type Address,
  AddressTaken,
  BodyTooLarge,
  heartbeat,
  type Host,
  type HttpReply,
  type HttpRequest,
  maxBodyBytes,
  type ReplyBroken,
  stalledAfter
} from "../src/ground/Visits.ts"
import { Ports } from "./MemoryLoopback.ts"
import { Neighbours } from "./Neighbours.ts"
import { type Answer, CutOff, NobodyThere, type Question, Refused, Visitors } from "./Visitors.ts"
import { MemoryVisit } from "./MemoryVisit.ts"

/** As the system gives ports to who asks for none (RFC 6335, section 6). */
const firstFreePort = 49_152

const loopback = "127.0.0.1"

/**
 * A network without sockets, and who comes through it: for as long as nobody reads, everything that is sent is unread. It
 * is one machine with the ports of its loopback: what listens here is reached from there.
 */
export const layer = Layer.effectContext(
  Effect.gen(function* () {
    const ports = yield* Ports
    const neighbours = yield* Neighbours
    const hosts = new Map<number, Door>()
    let nextPort = firstFreePort

    const open = (isSecure: boolean) =>
      Effect.fnUntraced(function* (address: Address, host: Host) {
        const port = address.port === 0 ? nextPort++ : address.port
        const visits = new Set<MemoryVisit>()
        const scope = yield* Effect.scope
        // who reads all of a reply at once needs no visitor's means, which cost much
        const asked = Effect.fnUntraced(function* ({ body, headers = {}, method, path }: JsonRequest) {
          const text = body === undefined ? "" : JSON.stringify(body)
          const request = requestOf({ headers, method, target: path, body: text }, isSecure)
          const answering = yield* Effect.forkIn(Effect.scoped(Effect.flatMap(host.answer(request), jsonOf)), scope)
          return yield* Fiber.join(answering).pipe(
            Effect.onInterrupt(() => Fiber.interrupt(answering)),
            Effect.catchCause(() => new NoReply({ detail: "socket hang up" }))
          )
        })
        yield* Effect.mapError(ports.listen(port, { pid: 0, http: asked }), () => new AddressTaken())
        yield* Effect.acquireRelease(
          Effect.sync(() => hosts.set(port, { host, visits, scope, isSecure })),
          () =>
            Effect.sync(() => {
              hosts.delete(port)
              for (const visit of visits) visit.end(1006, "")
            })
        )
        yield* Effect.sync(() => visits.forEach((visit) => visit.beat())).pipe(
          Effect.schedule(Schedule.spaced(heartbeat)),
          Effect.forkScoped
        )
        return { host: address.host, port }
      })

    const network = Network.of({
      listen: open(false),
      listenSecure: (address, host) =>
        Effect.map(open(true)(address, host), (at) => ({ address: at, show: () => Effect.void })),
      exchange: neighbours.ask,
      getJson: ({ pathname, port, search }) => ports.request(Number(port), { method: "GET", path: pathname + search })
    })

    const doorAt = (port: number) =>
      Effect.suspend(() => {
        const door = hosts.get(port)
        return door === undefined ? Effect.fail(new NobodyThere({ port })) : Effect.succeed(door)
      })

    const visitors: Visitors["Service"] = Visitors.of({
      ask: Effect.fnUntraced(function* (port, question) {
        const door = yield* doorAt(port)
        const answered = yield* Deferred.make<Answer>()
        // as long as the visitor is there, and the door is open
        const serving = yield* Effect.forkIn(serve(door, question, answered), door.scope)
        yield* Effect.addFinalizer(() => Fiber.interrupt(serving))
        const broken = Effect.matchCauseEffect(Fiber.join(serving), {
          onFailure: () => Effect.fail(new CutOff()),
          onSuccess: () => Effect.never
        })
        return yield* Effect.raceFirst(Deferred.await(answered), broken)
      }),
      connect: Effect.fnUntraced(function* (port, { address = loopback, headers = {}, target }) {
        const { host, isSecure, scope, visits } = yield* doorAt(port)
        const admitted = host.admit({
          method: "GET",
          target,
          headers: { host: `${loopback}:${port}`, ...headers },
          address,
          isSecure
        })
        if (typeof admitted !== "function") return yield* new Refused({ ...headOf(admitted), body: admitted.body })
        const run = Effect.runForkWith(yield* Effect.context<never>())
        const later = (effect: Effect.Effect<void>) => void run(Effect.forkIn(effect, scope))
        const visit = yield* Effect.acquireRelease(
          Effect.sync(() => {
            const made = new MemoryVisit(later, () => visits.delete(made))
            visits.add(made)
            made.open(admitted)
            return made
          }),
          (made) => Effect.sync(() => made.end(1006, ""))
        )
        return visit.visitor()
      })
    })

    return Context.make(Network, network).pipe(Context.add(Visitors, visitors))
  })
).pipe(Layer.provideMerge(Layer.merge(Ports.layer, Neighbours.layer)))

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

interface Door {
  readonly host: Host
  readonly visits: Set<MemoryVisit>
  readonly scope: Scope.Scope
  readonly isSecure: boolean
}

/** Answers, and stays until the visitor has read it all. */
const serve = Effect.fnUntraced(function* (
  { host, isSecure }: Door,
  question: Question,
  answered: Deferred.Deferred<Answer>
) {
  const { method } = question
  const reply = yield* host.answer(requestOf(question, isSecure))
  const bytes = yield* Queue.bounded<Uint8Array, CutOff | Cause.Done>(1)
  Deferred.doneUnsafe(answered, Effect.succeed({ ...headOf(reply), body: Stream.fromQueue(bytes) }))
  const body = method === "HEAD" ? Stream.empty : bodyOf(reply)
  const over = Effect.flatMap(reply.until ?? Effect.never, () => new CutOff())
  yield* body.pipe(
    Stream.runForEach((some) =>
      Queue.offer(bytes, some).pipe(
        Effect.timeoutOrElse({ duration: stalledAfter, orElse: () => Effect.fail(new CutOff()) })
      )
    ),
    Effect.raceFirst(over),
    Effect.onExit((exit) => (Exit.isSuccess(exit) ? Queue.end(bytes) : Queue.fail(bytes, new CutOff()))),
    Effect.ignore
  )
}, Effect.scoped)

const requestOf = (question: Question, isSecure: boolean): HttpRequest => {
  const { address = loopback, body = "", headers = {}, method = "GET", target } = question
  const isTooLarge = encode(body).length > maxBodyBytes
  return {
    method,
    target,
    headers,
    address,
    isSecure,
    body: isTooLarge ? Effect.fail(new BodyTooLarge()) : Effect.succeed(body)
  }
}

const jsonOf = (reply: HttpReply) =>
  Effect.map(Stream.mkString(Stream.decodeText(bodyOf(reply))), (text) => ({ status: reply.status, body: parse(text) }))

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

const headOf = ({ body, headers, status }: HttpReply) => {
  const given = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
  if (Stream.isStream(body) || status === 304) return { status, headers: given }
  const { length } = typeof body === "string" ? encode(body) : body
  return { status, headers: { "content-length": String(length), ...given } }
}

const bodyOf = ({ body }: HttpReply): Stream.Stream<Uint8Array, ReplyBroken> => {
  if (Stream.isStream(body)) return body
  const bytes = typeof body === "string" ? encode(body) : body
  return bytes.length === 0 ? Stream.empty : Stream.succeed(bytes)
}
