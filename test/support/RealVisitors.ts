import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { type IncomingMessage, request } from "node:http"
import { WebSocket } from "ws"
import { CutOff, NobodyThere, Refused, Visitors } from "../../testing/Visitors.ts"

const host = "127.0.0.1"

const from = (address: string | undefined) => (address === undefined ? {} : { localAddress: address })

/** Visitors over the sockets of this machine; what they say of where they come from has to be an address of it. */
export const layer = Layer.succeed(
  Visitors,
  Visitors.of({
    ask: (port, { address, body, headers = {}, method = "GET", target }) =>
      Effect.map(
        Effect.acquireRelease(
          Effect.callback<IncomingMessage, NobodyThere | CutOff>((resume) => {
            const asked = request({ host, port, path: target, method, headers, agent: false, ...from(address) })
            asked.on("response", (response) => {
              response.pause()
              resume(Effect.succeed(response))
            })
            asked.on("error", (cause) => resume(failure(cause, port)))
            asked.end(body)
          }),
          (response) => Effect.sync(() => response.destroy())
        ),
        (response) => ({
          status: response.statusCode ?? 0,
          headers: Object.fromEntries(
            Object.entries(response.headers).map(([name, value]) => [name, String(value)] as const)
          ),
          body: Stream.fromAsyncIterable(response as AsyncIterable<Uint8Array>, () => new CutOff())
        })
      ),

    connect: Effect.fnUntraced(function* (port, { address, headers = {}, target }) {
      const texts = yield* Queue.unbounded<string>()
      const closed = yield* Deferred.make<{ readonly code: number; readonly reason: string }>()
      const socket = yield* Effect.acquireRelease(
        Effect.callback<WebSocket, NobodyThere | Refused>((resume) => {
          const made = new WebSocket(`ws://${host}:${port}${target}`, {
            headers,
            perMessageDeflate: false,
            ...from(address)
          })
          made.on("message", (data) => Queue.offerUnsafe(texts, String(data)))
          made.on("close", (code, reason) =>
            Deferred.doneUnsafe(closed, Effect.succeed({ code, reason: reason.toString() }))
          )
          made.once("open", () => resume(Effect.succeed(made)))
          made.once("unexpected-response", (_, response) => {
            const { headers, statusCode: status = 0 } = response
            const chunks: Array<Buffer> = []
            response.on("data", (chunk: Buffer) => chunks.push(chunk))
            response.on("end", () => {
              const body = Buffer.concat(chunks).toString()
              resume(Effect.fail(new Refused({ status, headers: headers as Record<string, string>, body })))
            })
          })
          made.on("error", () => resume(Effect.fail(new NobodyThere({ port }))))
        }),
        (made) => Effect.sync(() => made.terminate())
      )
      return {
        send: (...fragments) =>
          fragments.forEach((text, index) => socket.send(text, { fin: index === fragments.length - 1 })),
        text: Queue.take(texts),
        closed: Deferred.await(closed),
        stopReading: () => socket.pause(),
        readOn: () => socket.resume(),
        leave: (code) => socket.close(code),
        vanish: () => socket.pause()
      }
    })
  })
)

const failure = (cause: NodeJS.ErrnoException, port: number): Effect.Effect<never, NobodyThere | CutOff> =>
  Effect.fail(cause.code === "ECONNREFUSED" ? new NobodyThere({ port }) : new CutOff())
