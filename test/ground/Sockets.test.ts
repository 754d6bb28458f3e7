import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import type { Socket } from "node:net"
import { Network } from "../../src/ground/Network.ts"
import type { Host } from "../../src/ground/Visits.ts"
import { eventually } from "../support/Eventually.ts"
import { dial, frame, heldBy, untilEnd, upgrade } from "../support/RawClient.ts"

/** A host that lets WebSockets in at /ws and answers everything. */
const house: Host = {
  answer: () => Effect.succeed({ status: 200, headers: {}, body: "here" }),
  admit: ({ target }) =>
    target === "/ws" ? () => ({ receive() {}, drained() {}, close() {} }) : { status: 404, headers: {}, body: "" }
}

const open = Effect.gen(function* () {
  const network = yield* Network
  return yield* network.listen({ host: "127.0.0.1", port: 0 }, house)
})

const test = (title: string, body: Effect.Effect<void, unknown, Network | Scope.Scope>) =>
  it.effect(title, () => Effect.provide(body, Network.layer))

const more = (count: number): ReadonlyArray<Buffer> =>
  Array.from({ length: count }, () => frame("x", { opcode: 0, isLast: false }))

const nextBytes = (socket: Socket) =>
  Effect.callback<Buffer>((resume) => {
    socket.once("data", (bytes: Buffer) => resume(Effect.succeed(bytes)))
    socket.resume()
  })

const descriptors = (port: number, count: number) =>
  TestClock.withLive(
    eventually(
      `${count} descriptors are held`,
      Effect.sync(() => heldBy(port) === count)
    )
  )

describe("an opening handshake", () => {
  test(
    "is answered as RFC 6455 says, section 1.3",
    Effect.gen(function* () {
      const { port } = yield* open
      const { answer } = yield* upgrade(port)
      assert.match(answer, /^HTTP\/1\.1 101 .*\r\n/)
      assert.include(answer, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n")
      assert.notInclude(answer, "Sec-WebSocket-Protocol")
      const offered = yield* upgrade(port, "/ws", { "Sec-WebSocket-Protocol": "a.b, c" })
      assert.include(offered.answer, "\r\nSec-WebSocket-Protocol: a.b\r\n")
    })
  )

  test(
    "that is none is refused",
    Effect.gen(function* () {
      const { port } = yield* open
      for (const header of [
        { "Sec-WebSocket-Version": "7" },
        { "Sec-WebSocket-Key": "short" },
        { "Sec-WebSocket-Key": `${"a".repeat(22)}==\tb` }
      ]) {
        const { answer } = yield* upgrade(port, "/ws", header)
        assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/)
        const { error } = JSON.parse(answer.slice(answer.indexOf("\r\n\r\n"))) as {
          readonly error: { readonly message: string; readonly data: { readonly suggestion: string } }
        }
        assert.strictEqual(error.message, "Bad Request")
        assert.match(error.data.suggestion, /RFC 6455/)
      }
    })
  )

  test(
    "that is refused leaves nothing open, whatever the client does then",
    Effect.gen(function* () {
      const { port } = yield* open
      for (let n = 0; n < 100; n++) {
        const { answer } = yield* upgrade(port, "/elsewhere")
        assert.match(answer, /^HTTP\/1\.1 404 /)
      }
      yield* descriptors(port, 0)
    })
  )
})

describe("a WebSocket of a socket", () => {
  for (const [what, bytes, code] of [
    ["a binary frame", frame("a", { opcode: 2 }), 1003],
    ["text that is no UTF-8", frame(Uint8Array.of(0x22, 0xc3, 0x28, 0x22)), 1007],
    ["a frame that is too long", frame("x".repeat((16 << 10) + 1)), 1009],
    ["too many fragments", Buffer.concat([frame("x", { isLast: false }), ...more(64)]), 1008],
    ["a frame without a mask", Buffer.from([0x81, 0x01, 0x61]), 1002]
  ] as const) {
    test(
      `is closed with ${code} for ${what}, and nothing of it is left a second later`,
      Effect.gen(function* () {
        const { port } = yield* open
        const { socket } = yield* upgrade(port)
        socket.write(bytes)
        const came = yield* nextBytes(socket)
        assert.deepStrictEqual([came[0], came.readUInt16BE(2)], [0x88, code])
        yield* TestClock.adjust("1 second")
        yield* descriptors(port, 0)
      })
    )
  }

  test(
    "answers a ping with what it carried, and a close with its code",
    Effect.gen(function* () {
      const { port } = yield* open
      const { socket } = yield* upgrade(port)
      socket.write(Buffer.concat([frame("hello", { opcode: 9 }), frame(Buffer.from([0x0b, 0xb8]), { opcode: 8 })]))
      const came = yield* untilEnd(socket)
      assert.deepStrictEqual([...came], [0x8a, 5, ...Buffer.from("hello"), 0x88, 2, 0x0b, 0xb8])
      socket.end()
      yield* descriptors(port, 0)
    })
  )

  test(
    "pings its client",
    Effect.gen(function* () {
      const { port } = yield* open
      const { socket } = yield* upgrade(port)
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual([...(yield* nextBytes(socket))], [0x89, 0])
    })
  )
})

describe("connections that ask nothing", () => {
  test(
    "are 1,000 at most, and keep nobody out",
    Effect.gen(function* () {
      const { port } = yield* open
      const first = yield* dial(port)
      for (let n = 0; n < 1000; n++) yield* dial(port)
      yield* untilEnd(first)
      assert.match((yield* upgrade(port)).answer, /^HTTP\/1\.1 101 /)
      yield* descriptors(port, 1000)
    })
  )
})

describe("a connection that asks on and on, and waits for no answer", () => {
  it.effect("is cut, with 16 of its requests begun, and none of them goes on", () =>
    Effect.gen(function* () {
      const network = yield* Network
      let begun = 0
      let over = 0
      const never: Host = {
        ...house,
        answer: () =>
          Effect.ensuring(
            Effect.suspend(() => {
              begun++
              return Effect.never
            }),
            Effect.sync(() => over++)
          )
      }
      const { port } = yield* network.listen({ host: "127.0.0.1", port: 0 }, never)
      const socket = yield* dial(port)
      socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1000))
      yield* untilEnd(socket)
      assert.strictEqual(begun, 16)
      yield* TestClock.withLive(
        eventually(
          "all of them are over",
          Effect.sync(() => over === 16)
        )
      )
    }).pipe(Effect.provide(Network.layer))
  )

  it.effect("is answered in order where it asks for no more at a time, however often", () =>
    Effect.gen(function* () {
      const network = yield* Network
      const echo: Host = {
        ...house,
        answer: ({ target }) => Effect.succeed({ status: 200, headers: {}, body: target })
      }
      const { port } = yield* network.listen({ host: "127.0.0.1", port: 0 }, echo)
      const socket = yield* dial(port)
      let answers = ""
      socket.on("data", (bytes: Buffer) => {
        answers += bytes.toString()
      })
      const paths = Array.from({ length: 48 }, (_, n) => `/${n}`)
      for (const some of [16, 32, 48]) {
        const asked = paths.slice(some - 16, some).map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
        socket.write(asked.join(""))
        yield* TestClock.withLive(
          eventually(
            `${some} answers`,
            Effect.sync(() => answers.endsWith(`/${some - 1}`))
          )
        )
      }
      assert.deepStrictEqual(answers.match(/(?<=\r\n\r\n)\/\d+/g), paths)
    }).pipe(Effect.provide(Network.layer))
  )
})
