import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { type CameraId, isCameraId } from "../../schema/Camera.ts"
import { InvalidParams, NotFound } from "../../schema/Errors.ts"
import { inScope } from "../auth/CameraScope.ts"
import { untilOver } from "../auth/Credentials.ts"
import { type HttpReply, type HttpRequest, ReplyBroken } from "../ground/Visits.ts"
import { Exports } from "../recording/Exports.ts"
import { type Period, periodOf } from "../storage/Period.ts"
import { exportUse } from "./ExportPath.ts"
import { makeFileVisitors } from "./FileVisitors.ts"
import { pathOf, PublicHttp, queryOf } from "./PublicHttp.ts"
import { failure } from "./Refusal.ts"
import { refusedVisitor } from "./RefusedVisitor.ts"
import { exportPace, tooManyAtOnce, VisitLimits } from "./VisitLimits.ts"

const prefix = "/export/"

/**
 * `GET /export/{camera}?from=…&to=…` (ISO 8601): what was recorded of the camera in that time, as one MP4 that is made as it
 * is sent; by a header, or by the URL that `export_recording` signs.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const http = yield* PublicHttp
    const exports = yield* Exports
    const visitor = yield* makeFileVisitors
    const { admitExport, atPace } = yield* VisitLimits

    const serve = Effect.fn("Exporting.serve", { kind: "server" })(
      function* (request: HttpRequest) {
        if (request.method !== "GET") return notAllowed
        const camera = pathOf(request.target).slice(prefix.length)
        const asked = periodOf(timesIn(request))
        const use = yield* Effect.orElseSucceed(Effect.map(asked, exportUse), () => undefined)
        const session = yield* visitor(use, request)
        if (!isCameraId(camera) || !inScope(session.cameras, camera)) {
          return yield* new NotFound({ resource: "camera", id: isCameraId(camera) ? camera : "" })
        }
        yield* Effect.annotateCurrentSpan({ "camera.id": camera })
        const period = yield* asked
        yield* admitExport(session, request.address)
        const { bytes, taken } = yield* exports.begin(camera, period)
        const reply = {
          status: 200,
          headers: {
            "content-type": "video/mp4",
            "content-disposition": `attachment; filename="${nameOf(camera, period)}"`,
            "cache-control": "no-store",
            "x-content-type-options": "nosniff"
          },
          body: Stream.mapError(bytes, (cause) => new ReplyBroken({ cause }))
        }
        return yield* atPace(reply, exportPace, Effect.raceFirst(untilOver(session), taken), request.address)
      },
      (serving, request) =>
        Effect.catchTags(serving, {
          AuthFailed: (error) => Effect.succeed(refusedVisitor(request, "signed", error)),
          NotFound: (error) => Effect.succeed(failure(404, error)),
          InvalidParams: (error) => Effect.succeed(failure(400, error)),
          TooManyAtOnce: (error) => Effect.succeed(tooManyAtOnce(error)),
          DependencyFailed: (error) => Effect.succeed(failure(503, error, { "retry-after": 5 }))
        })
    )

    yield* http.handle(prefix, serve)
  })
)

const timesIn = (request: HttpRequest) => {
  const query = queryOf(request)
  // a plus in a query stands for a space, and in a zone for itself
  const time = (name: string) => (query.get(name) ?? "").replace(" ", "+")
  return { from: time("from"), to: time("to") }
}

/** Such as `camera0_2026-01-02_03-04-05_to_2026-01-02_04-00-00.mp4`. */
const nameOf = (camera: CameraId, { from, to }: Period): string => {
  const [first, last] = [from, to].map((ms) =>
    new Date(ms).toISOString().slice(0, 19).replace("T", "_").replaceAll(":", "-")
  )
  return `${camera}_${first}_to_${last}.mp4`
}

const notAllowed: HttpReply = failure(
  405,
  new InvalidParams({ param: "method", rule: "GET", hint: "an export is made as it is sent" }),
  { allow: "GET" }
)
