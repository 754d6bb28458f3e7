import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { hashHex } from "../src/ground/Hashes.ts"
import { challengesIn } from "../src/rtsp/Digest.ts"
import { type Asked, headerOf } from "../src/rtsp/Message.ts"
import { type Caller, Peers } from "./MemoryTcp.ts"
import { answer, serveRtsp } from "./RtspServer.ts"

/** What is wrong with a camera in the network; a test sets it, and may wait for it. */
export interface RtspFaults {
  /** it wants these credentials, as Digest of this algorithm, or Basic */
  readonly login: Login | undefined
  /** it wants another nonce for every request: with `stale`, or, as some cameras do, without saying so */
  readonly nonces: "kept" | "stale" | "changed"
  /** it answers this method with this status */
  readonly refuses: Readonly<Record<string, string>>
  /** it takes connections and says nothing */
  readonly isSilent: boolean
  /** frames from one keyframe to the next */
  readonly keyframeEvery: number
  /** it says that it plays, and sends nothing */
  readonly neverPlays: boolean
  /** it sends nothing any more, and keeps the connection */
  readonly isStalled: boolean
  /** it asks a thousand times with each picture */
  readonly asksOften: boolean
  /** it asks with each picture what makes long answers, and reads nothing */
  readonly isDeaf: boolean
  /** so many more packets of 64 kB come with each picture */
  readonly ballast: number
  /** what it tells beside the picture of this number (KLV): units, one after the other */
  readonly tells: (picture: number) => ReadonlyArray<Uint8Array>
  /** 2 MB of metadata that have no end come with each picture */
  readonly endlessKlv: boolean
  /** it ends a session that it has heard no receiver report of for 15 s, and sends reports itself, each second */
  readonly wantsReports: boolean
  /** it hangs up in the middle of a frame, with the next picture */
  readonly diesInMidFrame: boolean
  /** it tells no Content-Base */
  readonly noContentBase: boolean
  /** instead of its own description */
  readonly sdp: string | undefined
}

export interface Login {
  readonly user: string
  readonly password: string
  readonly way: "Basic" | "MD5" | "MD5-sess" | "SHA-256"
}

const sound: RtspFaults = {
  login: undefined,
  nonces: "kept",
  refuses: {},
  isSilent: false,
  keyframeEvery: 10,
  neverPlays: false,
  isStalled: false,
  asksOften: false,
  isDeaf: false,
  ballast: 0,
  tells: () => [],
  endlessKlv: false,
  wantsReports: false,
  diesInMidFrame: false,
  noContentBase: false,
  sdp: undefined
}

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
  /** how often a password was refused */
  readonly rejections: () => number
}

const frameTime = 100
const sps = "Z0LAHtoCgPbARAAAAwAEAAADAPI8WLqA"
const pps = "aM48gA=="

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))

export const cameraSdp = [
  ...["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=Camera", "t=0 0", "a=control:*"],
  ...["m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000"],
  ...[
    `a=fmtp:96 packetization-mode=1;profile-level-id=42C01E;sprop-parameter-sets=${sps},${pps}`,
    "a=control:trackID=0"
  ],
  ...["m=application 0 RTP/AVP 98", "a=rtpmap:98 smpte336m/90000", "a=control:trackID=1", ""]
].join("\r\n")

/** One RTP packet with its marker, of the video, or of the metadata. */
const packet = (sequence: number, payload: Uint8Array, [channel, type] = [0, 96]): Uint8Array => {
  const bytes = new Uint8Array(16 + payload.length)
  const view = new DataView(bytes.buffer)
  bytes.set([0x24, channel])
  view.setUint16(2, 12 + payload.length)
  bytes.set([0x80, 0x80 | type], 4)
  view.setUint16(6, sequence % 65_536)
  view.setUint32(8, sequence * 9000)
  view.setUint32(12, 0x1234)
  bytes.set(payload, 16)
  return bytes
}

/** A sender report of this time (RFC 3550, 6.4.1), on channel 1. */
const senderReport = (millis: number): Uint8Array => {
  const bytes = Buffer.alloc(4 + 28)
  bytes.set([0x24, 1, 0, 28, 0x80, 200, 0, 6])
  bytes.writeUInt32BE(0x1234, 8)
  bytes.writeUInt32BE(Math.floor(millis / 1000), 12)
  bytes.writeUInt32BE(Math.floor(((millis % 1000) / 1000) * 2 ** 32), 16)
  return bytes
}

/** So long a session goes on without a receiver report, in milliseconds. */
const reportTime = 15_000

/** A keyframe with its parameter sets in one packet (STAP-A), or a picture that is none. */
const picture = (number: number, keyframeEvery: number): Uint8Array => {
  if (number % keyframeEvery !== 0) return packet(number, Uint8Array.from([0x41, 1, 2, 3, number % 256]))
  const units = [bytesOf(sps), bytesOf(pps), Uint8Array.from([0x65, 1, 2, 3, number % 256])]
  const sized = units.flatMap((unit) => [Uint8Array.from([0, unit.length]), unit])
  return packet(number, Buffer.concat([Uint8Array.from([0x18]), ...sized]))
}

const filler = packet(0, new Uint8Array(65_000))
/** No marker, and always of the same time. */
const klv = Uint8Array.from(filler)
klv[1] = 2
klv[5] = 98
const klvs = Buffer.concat(Array.from({ length: 32 }, () => klv))

const question = (number: string) => `OPTIONS * RTSP/1.0\r\nCSeq: ${number}\r\n\r\n`
const questions = Buffer.from(question("1").repeat(1000))
const longQuestions = Buffer.from(question("1".repeat(15_000)).repeat(5))

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

  const serve = Effect.fnUntraced(function* (caller: Caller) {
    const scope = yield* Effect.scope
    let nonce = `nonce-${nonces++}`
    let sending: Fiber.Fiber<void> | undefined
    let reportedAt = yield* Clock.currentTimeMillis

    const send = Effect.gen(function* () {
      let told = 0
      reportedAt = yield* Clock.currentTimeMillis
      for (let number = 0; ; number++) {
        const now = yield* SubscriptionRef.get(faults)
        const { asksOften, ballast, diesInMidFrame, endlessKlv, isDeaf, isStalled, keyframeEvery } = now
        const { neverPlays, tells, wantsReports } = now
        if (diesInMidFrame) {
          caller.say(picture(number, keyframeEvery).subarray(0, 10))
          return caller.hangUp("read ECONNRESET")
        }
        const time = yield* Clock.currentTimeMillis
        if (wantsReports && time - reportedAt > reportTime) return caller.hangUp("read ECONNRESET")
        if (wantsReports && number % 10 === 0) caller.say(senderReport(time))
        if (!isStalled && !neverPlays) caller.say(picture(number, keyframeEvery))
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
    rejections: () => rejections
  } satisfies RtspCamera as RtspCamera
})

/** Whether this header shows the password, by RFC 7616 put down once more. */
const isLogin = ({ password, user, way }: Login, shown: string, method: string, nonce: string): boolean => {
  if (way === "Basic") return shown === `Basic ${btoa(`${user}:${password}`)}`
  const [{ parameters } = { parameters: new Map<string, string>() }] = challengesIn([shown])
  const of = (name: string) => parameters.get(name) ?? ""
  const hash = (...parts: ReadonlyArray<string>) => hashHex(way === "SHA-256" ? "sha256" : "md5", parts.join(":"))
  const secret = hash(user, "camera", password)
  const a1 = way === "MD5-sess" ? hash(secret, nonce, of("cnonce")) : secret
  const use = of("qop") === "" ? [nonce] : [nonce, of("nc"), of("cnonce"), of("qop")]
  return of("nonce") === nonce && of("response") === hash(a1, ...use, hash(method, of("uri")))
}
