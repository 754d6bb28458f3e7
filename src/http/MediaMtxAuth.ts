import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { CameraId } from "../../schema/Camera.ts"
import { PublishTickets } from "../auth/PublishTickets.ts"
import { Tokens } from "../auth/Tokens.ts"
import { Devices } from "../device/Devices.ts"
import { Viewers } from "../stream/Viewers.ts"
import { json, LocalHttp } from "./LocalHttp.ts"

/** What MediaMTX asks before it lets anybody publish, read or play back (its `internal/auth/manager.go`). */
const Question = Schema.fromJsonString(
  Schema.Struct({
    user: Schema.String,
    password: Schema.String,
    token: Schema.String,
    action: Schema.String,
    path: Schema.String,
    query: Schema.String
  })
)

const isCameraId = Schema.is(CameraId)
const yes = json(200, { allowed: true })
const no = json(401, { allowed: false })

/** A token as the password, as a Bearer token, or as `?token=`: MediaMTX gives it to us in one of three places. */
const tokenOf = ({ password, query, token }: typeof Question.Type): string =>
  token || password || (new URLSearchParams(query).get("token") ?? "")

/**
 * Answers MediaMTX's question (`POST /mediamtx/auth`) with the rights that hold over JSON-RPC. MediaMTX moves no path
 * until it has the answer: it comes from memory, and the stream that a reader needs is started beside it.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const local = yield* LocalHttp
    const tickets = yield* PublishTickets
    const tokens = yield* Tokens
    const devices = yield* Devices
    const viewers = yield* Viewers

    const decode = Schema.decodeUnknownEffect(Question)

    const answer = Effect.fn("MediaMtxAuth.answer")(function* (body: string) {
      const question = yield* Effect.result(decode(body))
      if (Result.isFailure(question)) return json(400, { allowed: false })
      const { action, password, path } = question.success
      yield* Effect.annotateCurrentSpan({ "mediamtx.action": action, "stream.name": path })
      if (tickets.redeem(path, action, password)) return yes
      if (action !== "read" && action !== "playback") return no
      const session = yield* Effect.result(tokens.verify(tokenOf(question.success)))
      if (Result.isFailure(session) || !isCameraId(path)) return no
      const { cameras } = session.success
      if (cameras !== undefined && !cameras.includes(path)) return no
      if (action === "read" && devices.list().some(({ id }) => id === path)) yield* viewers.admit(path)
      return yes
    })

    yield* local.route("POST", "/mediamtx/auth", ({ body }) => answer(body))
  })
)
