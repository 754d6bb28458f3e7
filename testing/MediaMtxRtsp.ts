import * as Effect from "effect/Effect"
import { parameterSetsOf, parseSdp } from "../src/media/Sdp.ts"
import type { Asked } from "../src/rtsp/Message.ts"
import type { Described } from "./MediaMtxRun.ts"
import type { Publication, Publisher } from "./MediaMtxSessions.ts"
import type { Caller } from "./MemoryTcp.ts"
import { answer, serveRtsp } from "./RtspServer.ts"
import * as Scope from "effect/Scope"

type Publish = (publisher: Publisher) => Effect.Effect<Publication, { readonly status: number }, Scope.Scope>

const setsOf = (sdp: string): string | undefined => {
  const [set] = parseSdp(sdp).media.flatMap(parameterSetsOf)
  return set === undefined ? undefined : Buffer.from(set).toString("base64")
}

/**
 * MediaMTX's RTSP port, for the service itself: it publishes there what comes from cameras in the network, and asks what
 * streams are.
 */
export const serveClient = (
  publish: Publish,
  untilRead: Effect.Effect<void>,
  describe: (address: string) => Effect.Effect<Described>
) =>
  Effect.fnUntraced(function* (caller: Caller) {
    const scope = yield* Effect.scope
    let announced: { readonly url: string; readonly sps: string | undefined } | undefined
    let publication: Publication | undefined
    const record = Effect.fnUntraced(function* (request: Asked) {
      if (announced === undefined) return answer(caller, request, "455 Method Not Valid")
      const published = yield* Effect.result(Scope.provide(publish({ pid: 0, ...announced }), scope))
      if (published._tag === "Failure") return answer(caller, request, `${published.failure.status} Refused`)
      publication = published.success
      return answer(caller, request, "200 OK")
    })
    yield* serveRtsp(caller, {
      untilRead,
      asked: (request) => {
        if (request.method === "RECORD") return record(request)
        if (request.method === "DESCRIBE") {
          return Effect.map(describe(request.uri), ({ body, status }) => answer(caller, request, status, {}, body))
        }
        if (request.method === "ANNOUNCE") announced = { url: request.uri, sps: setsOf(request.body) }
        return Effect.sync(() => answer(caller, request, "200 OK", { Session: "1", Transport: "RTP/AVP/TCP" }))
      },
      frames: () =>
        Effect.suspend(() => publication?.frames(announced?.sps) ?? Effect.succeed(true)).pipe(
          Effect.map((isTaken) => {
            if (!isTaken) caller.hangUp("read ECONNRESET")
          })
        )
    })
  })
