import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { Network } from "../../src/ground/Network.ts"
import { type Host, type HttpReply, type Peer, ReplyBroken, type RequestHead } from "../../src/ground/Visits.ts"
import { type Answer, Visitors } from "../../testing/Visitors.ts"

const local = { host: "127.0.0.1", port: 0 }

const plain = (body: HttpReply["body"]): HttpReply => ({ status: 200, headers: {}, body })

/** A host that nobody came to see. */
const nobody: Host = { answer: () => Effect.succeed(plain("")), admit: () => ({ status: 404, headers: {}, body: "" }) }

const textOf = ({ body }: Answer) =>
  Effect.map(Stream.runCollect(body), (chunks) => Buffer.concat([...chunks]).toString())

/** Turns of the event loop: what can happen without time going by has happened. */
const settle = Effect.promise(async () => {
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
})

/** A host that answers so, and what it is visited with. */
const answering = Effect.fnUntraced(function* (answer: Host["answer"]) {
  const network = yield* Network
  const { port } = yield* network.listen(local, { ...nobody, answer })
  const { ask } = yield* Visitors
  return (question: Parameters<typeof ask>[1]) => ask(port, question)
})

/** A host with one WebSocket open, seen from both ends. */
const visited = Effect.gen(function* () {
  const network = yield* Network
  const came = yield* Deferred.make<Peer>()
  const texts = yield* Queue.unbounded<string>()
  const drained = yield* Queue.unbounded<void>()
  const gone = yield* Queue.unbounded<void>()
  const { port } = yield* network.listen(local, {
    ...nobody,
    admit: () => (peer) => {
      Deferred.doneUnsafe(came, Effect.succeed(peer))
      return {
        receive: (text) => void Queue.offerUnsafe(texts, text),
        drained: () => void Queue.offerUnsafe(drained, undefined),
        close: () => void Queue.offerUnsafe(gone, undefined)
      }
    }
  })
  const { connect } = yield* Visitors
  const visitor = yield* connect(port, { target: "/" })
  return { visitor, peer: yield* Deferred.await(came), texts, drained, gone: Queue.take(gone), goneTwice: gone }
})

/** What any network does, be it of sockets or of memory. */
export const networkBehaviour = (name: string, ground: Layer.Layer<Network | Visitors>) => {
  const test = <E>(title: string, body: Effect.Effect<void, E, Network | Visitors | Scope.Scope>) =>
    it.effect(title, () => Effect.provide(body, ground))

  describe(`${name}: an address`, () => {
    test(
      "that is taken is told so, and is free again with the end of the scope",
      Effect.gen(function* () {
        const network = yield* Network
        const { ask } = yield* Visitors
        const scope = yield* Scope.make()
        const { port } = yield* Scope.provide(network.listen(local, nobody), scope)
        const address = { ...local, port }
        assert.strictEqual((yield* Effect.flip(network.listen(address, nobody)))._tag, "AddressTaken")
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual((yield* Effect.flip(ask(port, { target: "/" })))._tag, "NobodyThere")
        assert.deepStrictEqual(yield* network.listen(address, nobody), address)
      })
    )
  })

  describe(`${name}: a request`, () => {
    test(
      "comes whole, and is answered as it is said",
      Effect.gen(function* () {
        const ask = yield* answering(({ address, body, headers, method, target }) =>
          Effect.map(Effect.orDie(body), (text) => ({
            status: 201,
            headers: { "x-number": 5 },
            body: JSON.stringify([method, target, headers["x-key"], address, text])
          }))
        )
        const question = { method: "PUT", target: "/a/../b?c=%20", headers: { "x-key": "k" }, body: "grüße" }
        const answer = yield* ask({ ...question, address: "127.0.0.2" })
        assert.strictEqual(answer.status, 201)
        assert.strictEqual(answer.headers["x-number"], "5")
        const text = yield* textOf(answer)
        assert.deepStrictEqual(JSON.parse(text), ["PUT", "/a/../b?c=%20", "k", "127.0.0.2", "grüße"])
        assert.strictEqual(answer.headers["content-length"], String(Buffer.byteLength(text)))
      })
    )

    test(
      "may have 64 KiB of body",
      Effect.gen(function* () {
        const ask = yield* answering(({ body }) =>
          body.pipe(
            Effect.map((text) => plain(String(text.length))),
            Effect.catch(() => Effect.succeed({ status: 413, headers: { connection: "close" }, body: "" }))
          )
        )
        const post = (length: number) => ask({ method: "POST", target: "/", body: "x".repeat(length) })
        assert.strictEqual(yield* textOf(yield* post(65_536)), "65536")
        assert.strictEqual((yield* post(65_537)).status, 413)
      })
    )

    test(
      "with HEAD gets the head of the reply alone",
      Effect.gen(function* () {
        const never = Stream.fromEffect(Effect.die("nobody reads this"))
        const ask = yield* answering(({ target }) =>
          Effect.succeed(target === "/text" ? plain("four") : { ...plain(never), headers: { "content-length": 9 } })
        )
        for (const [target, length] of [
          ["/text", "4"],
          ["/stream", "9"]
        ] as const) {
          const answer = yield* ask({ method: "HEAD", target })
          assert.strictEqual(answer.headers["content-length"], length)
          assert.strictEqual(yield* textOf(answer), "")
        }
      })
    )

    test(
      "may be answered with bytes, or with a stream of them",
      Effect.gen(function* () {
        const ask = yield* answering(({ target }) =>
          Effect.succeed(
            plain(target === "/bytes" ? Uint8Array.of(65, 66) : Stream.make(Uint8Array.of(67), Uint8Array.of(68)))
          )
        )
        assert.strictEqual(yield* textOf(yield* ask({ target: "/bytes" })), "AB")
        assert.strictEqual(yield* textOf(yield* ask({ target: "/stream" })), "CD")
      })
    )
  })

  describe(`${name}: a reply`, () => {
    const chunk = new Uint8Array(64 << 10)
    /** replies that never end, how much of them was taken, and when what they came from is let go */
    const endless = Effect.gen(function* () {
      const released = yield* Deferred.make<void>()
      const begun = yield* Deferred.make<void>()
      let taken = 0
      const ask = yield* answering(() =>
        Effect.acquireRelease(
          Effect.succeed(
            plain(
              Stream.unfold(0, (before) =>
                Effect.sync(() => {
                  taken = before + 1
                  Deferred.doneUnsafe(begun, Effect.void)
                  return [chunk, taken] as const
                })
              )
            )
          ),
          () => Deferred.succeed(released, undefined)
        )
      )
      return { ask, taken: () => taken, begun: Deferred.await(begun), released: Deferred.await(released) }
    })

    test(
      "that breaks cuts the connection",
      Effect.gen(function* () {
        const broken = Stream.fail(new ReplyBroken({ cause: "gone" }))
        const ask = yield* answering(() => Effect.succeed(plain(Stream.concat(Stream.succeed(chunk), broken))))
        assert.strictEqual((yield* Effect.flip(Effect.flatMap(ask({ target: "/" }), textOf)))._tag, "CutOff")
      })
    )

    test(
      "is taken as fast as it is read, and what it came from is let go when the client hangs up",
      Effect.gen(function* () {
        const { ask, begun, released, taken } = yield* endless
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { body } = yield* ask({ target: "/" })
            yield* begun
            yield* settle
            const before = taken()
            yield* settle
            assert.strictEqual(taken(), before)
            // the system's buffers of a connection hold some megabytes
            yield* Stream.runDrain(Stream.take(body, 1000))
            assert.isAbove(taken(), before)
          })
        )
        yield* released
      })
    )

    test(
      "that nobody takes is cut after a minute",
      Effect.gen(function* () {
        const { ask, begun, released } = yield* endless
        yield* ask({ target: "/" })
        yield* begun
        yield* settle
        yield* TestClock.adjust("59 seconds")
        const cut = yield* Effect.forkChild(released, { startImmediately: true })
        yield* settle
        assert.isUndefined(cut.pollUnsafe())
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(cut)
      })
    )
  })

  describe(`${name}: a WebSocket`, () => {
    test(
      "is opened or refused by what its request says",
      Effect.gen(function* () {
        const network = yield* Network
        const { connect } = yield* Visitors
        const heads: Array<RequestHead> = []
        const { port } = yield* network.listen(local, {
          ...nobody,
          admit: (head) => {
            heads.push(head)
            return { status: 403, headers: { "retry-after": 5 }, body: "nicht für dich" }
          }
        })
        const refused = yield* Effect.flip(connect(port, { target: "/ws?a", headers: { origin: "http://x" } }))
        assert.deepInclude(refused, { _tag: "Refused", status: 403, body: "nicht für dich" })
        assert.deepInclude("headers" in refused ? refused.headers : {}, { "retry-after": "5", "content-length": "15" })
        assert.deepInclude(heads[0], { method: "GET", target: "/ws?a", address: "127.0.0.1" })
        assert.deepInclude(heads[0]?.headers, { origin: "http://x", host: `127.0.0.1:${port}` })
      })
    )

    test(
      "carries text both ways, whatever it is and however it is cut",
      Effect.gen(function* () {
        const { peer, texts, visitor } = yield* visited
        for (const text of ["", "a", "grüße 🎥", "x".repeat(125), "x".repeat(126), "ü".repeat(8000)]) {
          visitor.send(text)
          assert.strictEqual(yield* Queue.take(texts), text)
          peer.send(text)
          assert.strictEqual(yield* visitor.text, text)
        }
        visitor.send("in ", "", "pieces")
        assert.strictEqual(yield* Queue.take(texts), "in pieces")
        peer.send("x".repeat(100_000))
        assert.strictEqual((yield* visitor.text).length, 100_000)
      })
    )

    test(
      "takes little from who is not known, and more when it is told to",
      Effect.gen(function* () {
        const { peer, texts, visitor } = yield* visited
        visitor.send("x".repeat(16 << 10))
        assert.strictEqual((yield* Queue.take(texts)).length, 16 << 10)
        peer.limit({ bytes: 1 << 20, fragments: 100 })
        visitor.send("x".repeat(1 << 20))
        assert.strictEqual((yield* Queue.take(texts)).length, 1 << 20)
        visitor.send(...Array.from({ length: 100 }, () => "x"))
        assert.strictEqual((yield* Queue.take(texts)).length, 100)
        visitor.send("x".repeat((1 << 20) + 1))
        assert.strictEqual((yield* visitor.closed).code, 1009)
      })
    )

    test(
      "is closed where one message comes in very many fragments",
      Effect.gen(function* () {
        const { gone, texts, visitor } = yield* visited
        visitor.send(...Array.from({ length: 65 }, () => "x"))
        assert.strictEqual((yield* visitor.closed).code, 1008)
        yield* gone
        assert.strictEqual(yield* Queue.size(texts), 0)
      })
    )

    test(
      "that is paused is not read, and loses nothing",
      Effect.gen(function* () {
        const { peer, texts, visitor } = yield* visited
        peer.pause()
        for (const text of ["1", "2", "3"]) visitor.send(text)
        yield* settle
        assert.strictEqual(yield* Queue.size(texts), 0)
        peer.resume()
        for (const text of ["1", "2", "3"]) assert.strictEqual(yield* Queue.take(texts), text)
      })
    )

    test(
      "tells how much is unread, and when it has been read",
      Effect.gen(function* () {
        const { drained, peer, visitor } = yield* visited
        visitor.stopReading()
        const text = "x".repeat(64 << 10)
        let sent = 0
        // the system takes some megabytes
        while (peer.buffered() < 1 << 20) {
          peer.send(text)
          sent++
          yield* settle
        }
        visitor.readOn()
        for (let n = 0; n < sent; n++) assert.strictEqual((yield* visitor.text).length, text.length)
        yield* Queue.take(drained)
        assert.strictEqual(peer.buffered(), 0)
      })
    )

    test(
      "ends once, whoever ends it",
      Effect.gen(function* () {
        const mine = yield* visited
        mine.peer.cut(1013, "enough")
        mine.peer.cut(1001, "again")
        mine.peer.send("nobody hears this")
        assert.deepStrictEqual(yield* mine.visitor.closed, { code: 1013, reason: "enough" })
        yield* mine.gone
        const theirs = yield* visited
        theirs.visitor.leave(1000)
        yield* theirs.gone
        theirs.peer.cut(1001, "too late")
        assert.strictEqual((yield* theirs.visitor.closed).code, 1000)
        yield* settle
        for (const { goneTwice } of [mine, theirs]) assert.strictEqual(yield* Queue.size(goneTwice), 0)
      })
    )

    test(
      "that is cut ends within a second, whether or not the client listens",
      Effect.gen(function* () {
        const { gone, peer, visitor } = yield* visited
        visitor.vanish()
        peer.cut(1008, "go")
        yield* settle
        yield* TestClock.adjust("1 second")
        yield* gone
      })
    )

    test(
      "whose client vanished ends with the third heartbeat",
      Effect.gen(function* () {
        const { gone, visitor } = yield* visited
        visitor.vanish()
        yield* settle
        for (let beat = 0; beat < 3; beat++) yield* TestClock.adjust("30 seconds")
        yield* gone
      })
    )

    test(
      "ends with the scope of the address",
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const { gone, visitor } = yield* Scope.provide(visited, scope)
        yield* Scope.close(scope, Exit.void)
        yield* gone
        assert.strictEqual((yield* visitor.closed).code, 1006)
      })
    )
  })
}
