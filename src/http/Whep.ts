import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { isCameraId } from "../../schema/Camera.ts"
import { InvalidParams, NotFound } from "../../schema/Errors.ts"
import type { HttpReply, HttpRequest } from "../ground/Visits.ts"
import { Devices } from "../device/Devices.ts"
import { KeyframeRequests } from "../stream/KeyframeRequests.ts"
import { cameraOf, type StreamName } from "../stream/StreamName.ts"
import { one } from "./Credential.ts"
import { complaintOf, makeMediaMtxClient, mediaMtxIsAway, noStream, passOn } from "./MediaMtxRelay.ts"
import { pathOf, PublicHttp } from "./PublicHttp.ts"
import { failure } from "./Refusal.ts"
import { refusedVisitor } from "./RefusedVisitor.ts"
import { makeStreamVisitors, streamCredentialOf } from "./StreamVisitors.ts"
import { tooManyAtOnce } from "./VisitLimits.ts"

const prefix = "/whep/"
/** The stream, and the session's secret, which MediaMTX makes: 122 random bits. */
const form = /^\/whep\/([^/]+)(?:\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))?$/

const offerType = "application/sdp"
const candidatesType = "application/trickle-ice-sdpfrag"

/** From the answer to the first packet that is sent: a browser on this machine was connected 20 ms after it (measured). */
const connectTime = Duration.millis(100)

/** What is wrong with the path, not with the offer (MediaMTX's `internal/core/path.go` and `path_manager.go`). */
const pathTrouble = /terminated|timed out|not configured|no stream|reader count/

/**
 * WebRTC for browsers of our own origin (WHEP, draft-ietf-wish-whep): `POST /whep/{camera}` with an offer, `PATCH` with
 * candidates and `DELETE` at the session that its `Location` names. It is MediaMTX that answers; who may is known here. Where
 * browsers do not play the camera's own stream its transcode is sent, and the session is that stream's from then on.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const http = yield* PublicHttp
    const devices = yield* Devices
    const visitors = yield* makeStreamVisitors("webrtc")
    const ask = yield* makeMediaMtxClient("webrtc_port")
    const keyframes = yield* KeyframeRequests
    const scope = yield* Effect.scope

    const open = Effect.fnUntraced(function* (name: StreamName, request: HttpRequest) {
      const { credential, device, stream } = yield* visitors.enter(name, request)
      if (typeOf(request) !== offerType) return wrongType(offerType)
      if (device.status === "DISCONNECTED") return noStream(device)
      const offer = yield* request.body
      if (!offer.startsWith("v=0")) return badOffer("an SDP offer (RFC 8866) begins with v=0")
      const answer = yield* ask({
        method: "POST",
        target: `/${stream}/whep`,
        headers: { authorization: `Bearer ${credential}`, "content-type": offerType },
        body: offer
      })
      const session = /\/whep\/([0-9a-f-]{36})$/.exec(answer.headers["location"] ?? "")?.[1]
      if (answer.status === 201 && session !== undefined) {
        // a transcode has one of its own every 0.4 s
        if (stream === device.id) yield* Effect.forkIn(Effect.delay(keyframes.ask(device.id), connectTime), scope)
        return passOn(answer, { location: `${prefix}${stream}/${session}` })
      }
      const complaint = yield* complaintOf(answer)
      if ((answer.status === 400 && !pathTrouble.test(complaint)) || answer.status === 406) return badOffer(complaint)
      const now = yield* Effect.orElseSucceed(devices.get(device.id), () => device)
      // it asked us, and was told no: the credential ended meanwhile, or there are too many readers
      return answer.status === 401 ? mediaMtxIsAway({ detail: "it let the reader not in" }) : noStream(now)
    })

    /** whoever has the session's secret has the session; it ends with the credential that opened it */
    const follow = Effect.fnUntraced(function* (stream: StreamName, session: string, request: HttpRequest) {
      yield* visitors.follow(session, request)
      if (streamCredentialOf(request) !== undefined) yield* visitors.enter(stream, request)
      if (request.method === "PATCH" && typeOf(request) !== candidatesType) return wrongType(candidatesType)
      const ifMatch = one(request.headers["if-match"])
      const answer = yield* ask({
        method: request.method,
        target: `/${stream}/whep/${session}`,
        headers: {
          "content-type": candidatesType,
          ...(ifMatch === undefined ? {} : { "if-match": ifMatch })
        },
        body: yield* request.body
      })
      if (answer.status < 300) return passOn(answer)
      const complaint = yield* complaintOf(answer)
      return answer.status === 400 ? badOffer(complaint) : noSuchSession(stream)
    })

    const serve = Effect.fn("Whep.serve", { kind: "server" })(
      function* (request: HttpRequest) {
        const [, name = "", session] = form.exec(pathOf(request.target)) ?? []
        const camera = cameraOf(name)
        if (!isCameraId(camera)) return failure(404, new NotFound({ resource: "camera", id: name }))
        yield* Effect.annotateCurrentSpan({ "camera.id": camera, "http.request.method": request.method })
        const methods = session === undefined ? ["POST"] : ["PATCH", "DELETE"]
        const allow = ["OPTIONS", ...methods].join(", ")
        if (request.method === "OPTIONS") return { status: 204, headers: { allow, "accept-post": offerType }, body: "" }
        if (!methods.includes(request.method)) return notAllowed(allow)
        return yield* session === undefined ? open(name, request) : follow(name, session, request)
      },
      (serving, request) =>
        Effect.catchTags(serving, {
          AuthFailed: (error) => Effect.succeed(refusedVisitor(request, "token", error)),
          NotFound: (error) => Effect.succeed(failure(404, error)),
          BodyTooLarge: () => Effect.succeed(tooLarge),
          TooManyAtOnce: (error) => Effect.succeed(tooManyAtOnce(error)),
          MediaMtxAway: (error) => Effect.succeed(mediaMtxIsAway(error))
        })
    )

    yield* http.handle(prefix, serve)
  })
)

const typeOf = ({ headers }: HttpRequest): string | undefined =>
  one(headers["content-type"])?.split(";")[0]?.trim().toLowerCase()

const wrongType = (type: string): HttpReply =>
  failure(415, new InvalidParams({ param: "Content-Type", rule: type, hint: `send ${type}` }), { "accept-post": type })

const badOffer = (hint: string): HttpReply =>
  failure(400, new InvalidParams({ param: "body", rule: "an SDP offer that MediaMTX can answer", hint }))

const noSuchSession = (stream: StreamName): HttpReply =>
  failure(
    404,
    new NotFound({
      resource: "stream",
      id: stream,
      reason: "the session is over, or never was",
      suggestion: "POST an offer anew"
    })
  )

const tooLarge = failure(
  413,
  new InvalidParams({ param: "body", rule: "64 KiB at most", hint: "an offer is a few kilobytes" }),
  { connection: "close" }
)

const notAllowed = (allow: string): HttpReply =>
  failure(405, new InvalidParams({ param: "method", rule: allow, hint: "WHEP begins with a POST" }), { allow })
