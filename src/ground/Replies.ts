import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { IncomingMessage, ServerResponse } from "node:http"
import { namesTwoHosts, targetOf, waitsForContinue } from "./RequestHeads.ts"
import { BodyTooLarge, type Host, type HttpReply, maxBodyBytes, stalledAfter } from "./Visits.ts"

/** Answers one request of node's HTTP server; returns when the system has all of the reply, or the connection is cut. */
export const reply = Effect.fnUntraced(function* (
  answer: Host["answer"],
  request: IncomingMessage,
  response: ServerResponse,
  isSecure: boolean
) {
  if (namesTwoHosts(request)) return void response.writeHead(400, { connection: "close" }).end()
  const { body, headers, status, until } = yield* answer({
    method: request.method ?? "",
    target: targetOf(request),
    headers: request.headers,
    address: request.socket.remoteAddress ?? "",
    isSecure,
    body: bodyOf(request, response)
  })
  const isAtHand = typeof body === "string" || body instanceof Uint8Array
  // 304 speaks of a body that it does not have
  const isCounted = isAtHand && status !== 304
  const sending = Effect.gen(function* () {
    if (request.method === "HEAD") response.end()
    else if (isAtHand) response.end(body)
    else yield* send(body, response)
    if (!response.writableFinished) yield* orStalled(response, "finish")
  })
  response.writeHead(status, isCounted ? { "content-length": Buffer.byteLength(body), ...headers } : headers)
  if (until === undefined) return yield* sending
  const cut = Effect.sync(() => response.destroy())
  yield* Effect.raceFirst(sending, Effect.andThen(until, cut))
})

/** Sends as fast as the client takes it. */
const send = (body: Exclude<HttpReply["body"], string | Uint8Array>, response: ServerResponse) =>
  body.pipe(
    Stream.runForEach((bytes) => (response.write(bytes) ? Effect.void : orStalled(response, "drain"))),
    Effect.matchEffect({
      onFailure: (cause) =>
        Effect.andThen(
          Effect.sync(() => response.destroy()),
          Effect.logDebug("a reply was not sent to its end", cause)
        ),
      onSuccess: () => Effect.sync(() => response.end())
    })
  )

/** Waits for what the client's reading brings about. */
const orStalled = (response: ServerResponse, event: "drain" | "finish"): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const came = () => resume(Effect.void)
    if (event === "drain" ? !response.writableNeedDrain : response.writableFinished) return came()
    response.once(event, came)
    return Effect.sync(() => response.off(event, came))
  }).pipe(Effect.timeoutOrElse({ duration: stalledAfter, orElse: () => Effect.sync(() => response.destroy()) }))

const bodyOf = (request: IncomingMessage, response: ServerResponse): Effect.Effect<string, BodyTooLarge> =>
  Effect.callback((resume) => {
    // what is said to be too large is not waited for
    if (Number(request.headers["content-length"]) > maxBodyBytes) return resume(Effect.fail(new BodyTooLarge()))
    if (waitsForContinue(request)) response.writeContinue()
    const chunks: Array<Buffer> = []
    let length = 0
    request.on("data", (chunk: Buffer) => {
      length += chunk.length
      if (length <= maxBodyBytes) chunks.push(chunk)
      else resume(Effect.fail(new BodyTooLarge()))
    })
    // a request that breaks off has nobody left to answer: it is interrupted
    request.on("end", () => resume(Effect.succeed(Buffer.concat(chunks).toString())))
  })
