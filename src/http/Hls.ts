import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { isCameraId } from "../../schema/Camera.ts"
import { AuthFailed, InvalidParams, NotFound } from "../../schema/Errors.ts"
import { SignedUrls } from "../auth/SignedUrls.ts"
import { Devices } from "../device/Devices.ts"
import type { WebAnswer } from "../ground/Loopback.ts"
import type { HttpReply, HttpRequest } from "../ground/Visits.ts"
import { awaited, nextPlaylist, type Playlist } from "../media/HlsPlaylist.ts"
import { cameraOf, type StreamName } from "../stream/StreamName.ts"
import { makeHlsPlayers, type Player } from "./HlsPlayers.ts"
import { makeMediaMtxClient, MediaMtxAway, mediaMtxIsAway, noStream, passOn } from "./MediaMtxRelay.ts"
import { pathOf, PublicHttp, queryOf } from "./PublicHttp.ts"
import { failure } from "./Refusal.ts"
import { refusedVisitor } from "./RefusedVisitor.ts"
import { makeStreamVisitors, streamCredentialOf } from "./StreamVisitors.ts"
import { tooManyAtOnce } from "./VisitLimits.ts"

const prefix = "/hls/"
const form = /^\/hls\/([^/]+)\/([A-Za-z0-9_-]{1,128}\.(?:m3u8|mp4|ts))$/

/** What a player may say in a query (RFC 8216bis, 6.2.5), and MediaMTX's name for a session. */
const questions: Readonly<Record<string, RegExp>> = {
  session: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  _HLS_msn: /^\d{1,15}$/,
  _HLS_part: /^\d{1,15}$/,
  _HLS_skip: /^(YES|v2)$/
}

/**
 * HLS for players of our own origin: `GET /hls/{camera}/index.m3u8` and what it names, each answered by MediaMTX. A
 * credential opens the index; all that it names has the session's secret in its address, and needs nothing else, for
 * players do not carry a token from one file to the next. The session ends with the credential, and no sooner: it outlives
 * the stream. Where browsers do not play the camera's own stream the index is its transcode's.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const http = yield* PublicHttp
    const devices = yield* Devices
    const visitors = yield* makeStreamVisitors("hls")
    const ask = yield* makeMediaMtxClient("hls_port")
    const signatures = yield* SignedUrls
    const players = yield* makeHlsPlayers

    /** MediaMTX's index for who shows this, and what the session is known by */
    const openAt = Effect.fnUntraced(function* (stream: StreamName, credential: string) {
      const answer = yield* ask({
        method: "GET",
        // it would ask the player to come again with this, to see whether that keeps cookies (its `internal/servers/hls`)
        target: `/${stream}/index.m3u8?cookieCheck=1`,
        headers: { authorization: `Bearer ${credential}` }
      })
      const text = answer.status === 200 ? yield* textOf(answer) : ""
      return { answer, text, secret: sessionIn.exec(text)?.[1] }
    })

    const open = Effect.fnUntraced(function* (asked: StreamName, request: HttpRequest) {
      const { credential, device, session, stream } = yield* visitors.enter(asked, request)
      if (device.status === "DISCONNECTED") return noStream(device)
      const { answer, secret, text } = yield* openAt(stream, credential)
      if (answer.status === 200) {
        if (secret !== undefined) {
          // what opened the index may be over sooner than what it lets in: a signed URL
          const signature = signatures.sign("stream", device.id, session, session.expiresAt)
          yield* players.add(secret, stream, Redacted.make(signature))
        }
        return passOn(withText(answer, stream === asked ? text : below(stream, text)))
      }
      const now = yield* Effect.orElseSucceed(devices.get(device.id), () => device)
      return answer.status === 401 ? mediaMtxIsAway({ detail: "it let the reader not in" }) : noStream(now)
    })

    /**
     * Opens the session again that MediaMTX has forgotten, where the stream is there; fails where the credential is over: the
     * one that opened it, or what the player shows now, which may have been renewed since.
     */
    const reopen = Effect.fnUntraced(function* (player: Player, given: string, request: HttpRequest) {
      const { signature, stream } = player
      const bearer = { authorization: `Bearer ${Redacted.value(signature)}` }
      const shown = streamCredentialOf(request) === undefined ? { ...request, headers: bearer } : request
      const { credential, device } = yield* Effect.tapError(visitors.enter(stream, shown), ({ _tag }) =>
        Effect.sync(() => _tag === "TooManyAtOnce" || players.forget(given))
      )
      if (device.status === "DISCONNECTED") return
      const { secret } = yield* openAt(stream, credential)
      player.secret = secret ?? player.secret
    })

    /** a playlist as MediaMTX has it; undefined: it has no such session, or is away */
    const playlistOf = Effect.fnUntraced(
      function* (player: Player, name: string, asked: URLSearchParams) {
        const { playlists, secret, stream } = player
        const known = playlists.get(name)
        // what is to come is another thing where the stream has begun anew
        const wait = known?.of === secret ? awaited(known.last, asked) : ""
        const answer = yield* ask({ method: "GET", target: `/${stream}/${name}?session=${secret}${wait}`, headers: {} })
        if (answer.status === 401) return undefined
        if (answer.status !== 200) return asBefore(player, name)
        const next = nextPlaylist(playlists.get(name)?.last, yield* textOf(answer))
        playlists.set(name, { last: next, of: secret })
        return playlistReply(next)
      },
      (asking) => Effect.catchTag(asking, "MediaMtxAway", () => Effect.undefined)
    )

    /**
     * A playlist for who has the session: it goes on where the stream has begun anew. While there is no stream it stays as it
     * was last, which players ask for again and again; at anything else they would give up.
     */
    const goOn = Effect.fnUntraced(function* (
      player: Player,
      name: string,
      asked: URLSearchParams,
      request: HttpRequest
    ) {
      const { secret } = player
      const given = asked.get("session") ?? ""
      const now = yield* playlistOf(player, name, asked)
      if (now !== undefined) return now
      const isStill = () => player.secret === secret
      const again = Effect.suspend(() => (isStill() ? reopen(player, given, request) : Effect.void)).pipe(
        player.oneAtATime.withPermits(1),
        Effect.catchTags({ AuthFailed: () => sessionOver, MediaMtxAway: () => Effect.void }),
        Effect.andThen(Effect.suspend(() => (isStill() ? Effect.undefined : playlistOf(player, name, asked)))),
        Effect.timeoutOption(holdTime)
      )
      return Option.getOrUndefined(yield* again) ?? asBefore(player, name)
    })

    const follow = Effect.fnUntraced(function* (stream: StreamName, name: string, request: HttpRequest) {
      const query = new URLSearchParams()
      const asked = queryOf(request)
      for (const [key, rule] of Object.entries(questions)) {
        const value = asked.get(key)
        if (value !== null && rule.test(value)) query.set(key, value)
      }
      const secret = query.get("session")
      if (secret === null) return yield* new AuthFailed({ reason: "ask for index.m3u8 with a token or a key" })
      yield* visitors.follow(secret, request)
      const player = name.endsWith(".m3u8") ? yield* players.find(secret, stream) : undefined
      if (player !== undefined) return yield* goOn(player, name, query, request)
      const answer = yield* ask({ method: "GET", target: `/${stream}/${name}?${query}`, headers: {} })
      if (answer.status === 200) return passOn(answer)
      if (answer.status === 401) return yield* sessionOver
      return answer.status === 404 ? gone(stream) : mediaMtxIsAway({ detail: "the stream has ended" })
    })

    const serve = Effect.fn("Hls.serve", { kind: "server" })(
      function* (request: HttpRequest) {
        const [, stream = "", name = ""] = form.exec(pathOf(request.target)) ?? []
        const camera = cameraOf(stream)
        if (!isCameraId(camera)) return failure(404, new NotFound({ resource: "camera", id: stream }))
        yield* Effect.annotateCurrentSpan({ "camera.id": camera })
        if (request.method !== "GET" && request.method !== "HEAD") return notAllowed
        // it stands for what was before the stream began, and is nowhere; players that ask for it all the same go on
        if (name === "gap.mp4") return gone(stream)
        return yield* name === "index.m3u8" ? open(stream, request) : follow(stream, name, request)
      },
      (serving, request) =>
        Effect.catchTags(serving, {
          AuthFailed: (error) => Effect.succeed(refusedVisitor(request, "token", error)),
          NotFound: (error) => Effect.succeed(failure(404, error)),
          TooManyAtOnce: (error) => Effect.succeed(tooManyAtOnce(error)),
          MediaMtxAway: (error) => Effect.succeed(mediaMtxIsAway(error))
        })
    )

    yield* http.handle(prefix, serve)
  })
)

const sessionIn = /[?&]session=([0-9a-f-]{36})/
/** Players give up on a playlist after 10 s (hls.js), or sooner. */
const holdTime = "4 seconds"

const playlistReply = ({ text }: Playlist): HttpReply => ({
  status: 200,
  headers: {
    "content-type": "application/vnd.apple.mpegurl",
    "cache-control": "private, no-cache",
    "x-content-type-options": "nosniff"
  },
  body: text
})

/** A playlist as it was last given. */
const asBefore = ({ playlists, stream }: Player, name: string): HttpReply => {
  const known = playlists.get(name)
  return known === undefined ? gone(stream) : playlistReply(known.last)
}

const textOf = ({ body }: WebAnswer) =>
  Effect.mapError(Stream.mkString(Stream.decodeText(body)), ({ detail }) => new MediaMtxAway({ detail }))

const withText = ({ headers, status }: WebAnswer, text: string): WebAnswer => {
  const { "content-length": _, ...others } = headers
  return { status, headers: others, body: Stream.succeed(new TextEncoder().encode(text)) }
}

/** The index of a stream for who asked by another name: what it names lies beside that (RFC 8216, 4.1 and 4.3.4.1). */
const below = (stream: StreamName, text: string): string =>
  text.replaceAll(/^(?!#)(?=.)/gm, `../${stream}/`).replaceAll(/\bURI="/g, `$&../${stream}/`)

const gone = (stream: StreamName): HttpReply =>
  failure(
    404,
    new NotFound({
      resource: "stream",
      id: stream,
      reason: "there is no such segment, or no more",
      suggestion: "ask for index.m3u8 again"
    })
  )

const sessionOver = Effect.fail(new AuthFailed({ reason: "the session is over: ask for index.m3u8 again" }))

const notAllowed: HttpReply = failure(
  405,
  new InvalidParams({ param: "method", rule: "GET or HEAD", hint: "HLS is read" }),
  { allow: "GET, HEAD" }
)
