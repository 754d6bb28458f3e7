import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { type Asked, headerOf } from "../src/rtsp/Message.ts"
import { type Caller, Peers } from "./MemoryTcp.ts"
import { type RtspFaults, sound } from "./RtspFaults.ts"
import { isLogin } from "./RtspLogin.ts"
import {
  cameraSdp,
  filler,
  klvs,
  longQuestions,
  packet,
  picture,
  questions,
  senderReport,
  wrongRtcp
} from "./RtspPackets.ts"
import { answer, serveRtsp } from "./RtspServer.ts"

/** A camera in the network that is none: 640 × 480, H.264 at 10 frames a second, a keyframe a second. */
export interface RtspCamera {
  readonly faults: SubscriptionRef.SubscriptionRef<RtspFaults>
  /** changes what is wrong with it */
  readonly disturb: (faults: Partial<RtspFaults>) => Effect.Effect<void>
  /** each request, such as `SETUP rtsp://192.168.42.10/subject/trackID=0` */
  readonly requests: () => ReadonlyArray<string>
  /** sessions that play now, and the most that ever did at once */
  readonly playing: () => number
  readonly mostAtOnce: () => number
  /** what it was told by RTCP of its video, newest last */
  readonly reports: () => ReadonlyArray<Uint8Array>
  /** its next picture is a keyframe */
  readonly keyframe: Effect.Effect<void>
  /** how often a password was refused */
  readonly rejections: () => number
}

const frameTime = 100
/** So long a session goes on without a receiver report, in milliseconds. */
const reportTime = 15_000

/** Cameras in the network. */
export class RtspCameras extends Context.Service<
  RtspCameras,
  {
    /** one at this address and port, as long as the scope lives */
    readonly start: (address: string, port?: number) => Effect.Effect<RtspCamera, never, Scope.Scope>
  }
>()("camera-service/testing/RtspCameras") {
  static readonly layer = Layer.effect(
    RtspCameras,
    Effect.map(Peers, (peers) => RtspCameras.of({ start: (address, port = 554) => start(peers, address, port) }))
  )
}

const start = Effect.fnUntraced(function* (peers: Peers["Service"], address: string, port: number) {
  const faults = yield* SubscriptionRef.make(sound)
  const requests: Array<string> = []
  const reports: Array<Uint8Array> = []
  let playing = 0
  let mostAtOnce = 0
  let rejections = 0
  let nonces = 0
  let isKeyframeNext = false

  const serve = Effect.fnUntraced(function* (caller: Caller) {
    const scope = yield* Effect.scope
    let nonce = `nonce-${nonces++}`
    let sending: Fiber.Fiber<void> | undefined
    let reportedAt = yield* Clock.currentTimeMillis

    const send = Effect.gen(function* () {
      let told = 0
      reportedAt = yield* Clock.currentTimeMillis
      const { beginsBefore } = yield* SubscriptionRef.get(faults)
      for (let number = -beginsBefore; ; number++) {
        const now = yield* SubscriptionRef.get(faults)
        const { asksOften, ballast, diesInMidFrame, endlessKlv, isDeaf, isStalled } = now
        const { neverPlays, tells, wantsReports, wrongReports } = now
        if (diesInMidFrame) {
          caller.say(picture(number, now).subarray(0, 10))
          return caller.hangUp("read ECONNRESET")
        }
        const time = yield* Clock.currentTimeMillis
        if (wantsReports && time - reportedAt > reportTime) return caller.hangUp("read ECONNRESET")
        if (wantsReports && number % 10 === 0) caller.say(senderReport(time))
        if (wrongReports) caller.say(wrongRtcp)
        if (!isStalled && !neverPlays) caller.say(picture(number, isKeyframeNext ? { ...now, keyframeEvery: 1 } : now))
        isKeyframeNext = false
        for (let more = 0; more < ballast; more++) caller.say(filler)
        for (const unit of tells(number)) caller.say(packet(told++, unit, [2, 98]))
        if (endlessKlv) caller.say(klvs)
        if (asksOften) caller.say(questions)
        if (isDeaf) caller.say(longQuestions)
        yield* Effect.sleep(frameTime)
      }
    })
    const play = Effect.acquireUseRelease(
      Effect.sync(() => {
        playing++
        mostAtOnce = Math.max(mostAtOnce, playing)
      }),
      () => send,
      () => Effect.sync(() => void playing--)
    )

    /** How it asks for a login; undefined: the one who asks has shown that he may. */
    const challenge = (request: Asked, { login, nonces: how }: RtspFaults): string | undefined => {
      if (login === undefined) return undefined
      const shown = headerOf(request.headers, "authorization")
      if (shown !== undefined && isLogin(login, shown, request.method, nonce)) {
        if (how !== "kept") nonce = `nonce-${nonces++}`
        return undefined
      }
      const isOld = shown !== undefined && !shown.includes(nonce)
      if (shown !== undefined && !(isOld && how === "stale")) rejections++
      const stale = isOld && how === "stale" ? ", stale=TRUE" : ""
      if (login.way === "Basic") return `Basic realm="camera"`
      const algorithm = login.way === "MD5" ? "" : `, algorithm=${login.way}`
      const qop = login.way === "MD5" ? "" : `, qop="auth"`
      return `Digest realm="camera", nonce="${nonce}"${algorithm}${qop}${stale}, Basic realm="camera"`
    }

    const asked = Effect.fnUntraced(function* (request: Asked) {
      const { method, uri } = request
      requests.push(`${method} ${uri}`)
      const now = yield* SubscriptionRef.get(faults)
      if (now.isSilent) return
      const wanted = challenge(request, now)
      if (wanted !== undefined) return answer(caller, request, "401 Unauthorized", { "WWW-Authenticate": wanted })
      const refusal = now.refuses[method]
      if (refusal !== undefined)
        return answer(caller, request, refusal, { Location: "rtsp://admin:secret@10.0.0.1/live" })
      switch (method) {
        case "OPTIONS":
          return answer(caller, request, "200 OK", { Public: "DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER" })
        case "DESCRIBE": {
          const base = { "Content-Base": `${uri}/` }
          const headers = now.noContentBase ? {} : base
          return answer(
            caller,
            request,
            "200 OK",
            { ...headers, "Content-Type": "application/sdp" },
            now.sdp ?? cameraSdp
          )
        }
        case "SETUP": {
          const transport = headerOf(request.headers, "transport") ?? ""
          return answer(caller, request, "200 OK", { Transport: transport, Session: "12345678;timeout=60" })
        }
        case "PLAY":
          answer(caller, request, "200 OK", { Session: "12345678" })
          sending = yield* Effect.forkIn(play, scope)
          return
        case "TEARDOWN":
          if (sending !== undefined) yield* Fiber.interrupt(sending)
          return answer(caller, request, "200 OK")
        default:
          return answer(caller, request, "200 OK")
      }
    })
    const untilRead = SubscriptionRef.changes(faults).pipe(
      Stream.filter(({ isDeaf }) => !isDeaf),
      Stream.runHead,
      Effect.asVoid
    )
    const heard = (bytes: Uint8Array) =>
      Effect.map(Clock.currentTimeMillis, (time) => {
        if (bytes[1] !== 1) return
        reportedAt = time
        reports.push(bytes.slice(4))
      })
    yield* serveRtsp(caller, { asked, frames: heard, untilRead })
  })
  yield* peers.listen(address, port, serve)
  return {
    faults,
    disturb: (changed) => SubscriptionRef.update(faults, (all) => ({ ...all, ...changed })),
    requests: () => [...requests],
    playing: () => playing,
    mostAtOnce: () => mostAtOnce,
    reports: () => reports,
    keyframe: Effect.sync(() => (isKeyframeNext = true)),
    rejections: () => rejections
  } satisfies RtspCamera as RtspCamera
})
