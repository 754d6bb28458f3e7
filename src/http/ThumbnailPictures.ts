import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { isCameraId } from "../../schema/Camera.ts"
import { InvalidParams, NotFound } from "../../schema/Errors.ts"
import { inScope } from "../auth/CameraScope.ts"
import type { HttpReply, HttpRequest } from "../ground/Visits.ts"
import { Thumbnails } from "../recording/Thumbnails.ts"
import { makeFileVisitors } from "./FileVisitors.ts"
import { pathOf, PublicHttp } from "./PublicHttp.ts"
import { failure } from "./Refusal.ts"
import { refusedVisitor } from "./RefusedVisitor.ts"
import { tooManyAtOnce, VisitLimits } from "./VisitLimits.ts"

const prefix = "/thumbnails/"
const form = /^\/thumbnails\/([^/]+)\/([0-9]{1,11})\.jpg$/

/** `GET /thumbnails/{camera}/{seconds since 1970}.jpg`: a small picture of what was recorded then. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const http = yield* PublicHttp
    const thumbnails = yield* Thumbnails
    const { admitDownload } = yield* VisitLimits
    const visitor = yield* makeFileVisitors

    const serve = Effect.fn("ThumbnailPictures.serve", { kind: "server" })(
      function* (request: HttpRequest) {
        if (request.method !== "GET" && request.method !== "HEAD") return notAllowed
        const session = yield* visitor(undefined, request)
        const [, camera = "", seconds = ""] = form.exec(pathOf(request.target)) ?? []
        if (!isCameraId(camera) || !inScope(session.cameras, camera)) {
          return yield* new NotFound({ resource: "camera", id: camera })
        }
        yield* admitDownload(session, request.address)
        const body = yield* thumbnails.at(camera, Number(seconds))
        return {
          status: 200,
          headers: {
            "content-type": "image/jpeg",
            "cache-control": "private, max-age=600",
            "x-content-type-options": "nosniff"
          },
          body
        }
      },
      (serving, request) =>
        Effect.catchTags(serving, {
          AuthFailed: (error) => Effect.succeed(refusedVisitor(request, "signed", error)),
          NotFound: (error) => Effect.succeed(failure(404, error)),
          TooManyAtOnce: (error) => Effect.succeed(tooManyAtOnce(error)),
          DependencyFailed: (error) => Effect.succeed(failure(503, error, { "retry-after": 1 }))
        })
    )

    yield* http.handle(prefix, serve)
  })
)

const notAllowed: HttpReply = failure(
  405,
  new InvalidParams({ param: "method", rule: "GET or HEAD", hint: "it is a picture" }),
  { allow: "GET, HEAD" }
)
