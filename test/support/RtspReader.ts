import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { connect, type Socket } from "node:net"
import { authority } from "../../src/config/Hosts.ts"

/** The server answered a step with this status, or closed the connection (0). */
class RtspRefused extends Data.TaggedError("RtspRefused")<{ readonly step: string; readonly status: number }> {}

/** Who reads, as long as the scope lives. Times are milliseconds from the first DESCRIBE. */
export interface RtspReader {
  readonly sdp: string
  /** the first RTP packet with video */
  readonly firstPacket: Effect.Effect<number>
  /** the first packet that begins a picture which needs no other (IDR) */
  readonly firstKeyframe: Effect.Effect<number>
  /** the server ended it */
  readonly ended: Effect.Effect<void>
}

export interface RtspTarget {
  /** `127.0.0.1` where it is not given */
  readonly host?: string
  readonly port: number
  readonly path: string
  /** as the password */
  readonly token?: string
  /** such as `?token=…` */
  readonly query?: string
}

/** Whether an RTP packet's payload begins an IDR picture (RFC 6184, 5.4; H.264, table 7-1). */
const beginsKeyframe = (packet: Buffer): boolean => {
  const contributors = (packet[0] ?? 0) & 0x0f
  let at = 12 + 4 * contributors
  if (((packet[0] ?? 0) & 0x10) !== 0) at += 4 + 4 * packet.readUInt16BE(at + 2)
  const type = (packet[at] ?? 0) & 0x1f
  if (type === 28) return ((packet[at + 1] ?? 0) & 0x9f) === 0x85
  if (type !== 24) return type === 5
  for (let unit = at + 1; unit + 2 < packet.length; unit += 2 + packet.readUInt16BE(unit)) {
    if (((packet[unit + 2] ?? 0) & 0x1f) === 5) return true
  }
  return false
}

interface Response {
  readonly status: number
  readonly headers: string
  readonly body: string
}

/** Takes replies and interleaved packets (RFC 2326, 10.12) apart. */
const parser = (on: { readonly reply: (reply: Response) => void; readonly packet: (rtp: Buffer) => void }) => {
  let pending: Buffer = Buffer.alloc(0)
  const step = (): boolean => {
    if (pending.length < 4) return false
    if (pending[0] === 0x24) {
      const end = 4 + pending.readUInt16BE(2)
      if (pending.length < end) return false
      if (pending[1] === 0) on.packet(pending.subarray(4, end))
      pending = pending.subarray(end)
      return true
    }
    const head = pending.indexOf("\r\n\r\n")
    if (head === -1) return false
    const headers = pending.toString("latin1", 0, head)
    const end = head + 4 + Number(/^content-length:\s*(\d+)/im.exec(headers)?.[1] ?? 0)
    if (pending.length < end) return false
    const body = pending.toString("latin1", head + 4, end)
    pending = pending.subarray(end)
    on.reply({ status: Number(/^RTSP\/1\.0 (\d+)/.exec(headers)?.[1] ?? 0), headers, body })
    return true
  }
  return (chunk: Buffer): void => {
    pending = Buffer.concat([pending, chunk])
    while (step());
  }
}

const open = (port: number, host = "127.0.0.1") =>
  Effect.acquireRelease(
    Effect.callback<Socket>((resume) => {
      const socket = connect(port, host, () => resume(Effect.succeed(socket)))
      socket.setNoDelay(true)
      socket.on("error", (cause) => resume(Effect.die(cause)))
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

interface Publisher {
  readonly port: number
  readonly path: string
  readonly user: string
  readonly password: string
}

/** A publisher that has come with these credentials (RFC 2326, 10.3) and sends nothing: its status, 0 when it is cut off. */
export const publishNothing = Effect.fnUntraced(function* (target: Publisher) {
  const socket = yield* open(target.port)
  const sdp = [
    ...["v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=video 0 RTP/AVP 96"],
    ...["a=rtpmap:96 H264/90000", "a=fmtp:96 packetization-mode=1", "a=control:0", ""]
  ].join("\r\n")
  const ended = Deferred.makeUnsafe<void>()
  const status = Effect.callback<number>((resume) => {
    const take = parser({ reply: ({ status: found }) => resume(Effect.succeed(found)), packet: () => {} })
    socket.on("data", take)
    socket.on("close", () => {
      Deferred.doneUnsafe(ended, Effect.void)
      resume(Effect.succeed(0))
    })
  })
  socket.write(
    [
      `ANNOUNCE rtsp://127.0.0.1:${target.port}/${target.path} RTSP/1.0`,
      "CSeq: 1",
      `Authorization: Basic ${btoa(`${target.user}:${target.password}`)}`,
      "Content-Type: application/sdp",
      `Content-Length: ${sdp.length}`,
      "",
      sdp
    ].join("\r\n")
  )
  return { status: yield* status, ended: Deferred.await(ended) }
})

/** The same, which goes at once. */
export const announce = (target: Publisher) => Effect.scoped(Effect.map(publishNothing(target), ({ status }) => status))

/** Reads a stream's video over RTSP (RFC 2326) on one TCP connection, as players do. */
export const readRtsp = Effect.fnUntraced(function* ({ host, path, port, query = "", token }: RtspTarget) {
  const socket = yield* open(port, host)
  const packet = yield* Deferred.make<number>()
  const keyframe = yield* Deferred.make<number>()
  const ended = yield* Deferred.make<void>()
  let reply = Deferred.makeUnsafe<Response>()
  let began = 0
  const since = () => Effect.succeed(performance.now() - began)

  const take = parser({
    reply: (response) => Deferred.doneUnsafe(reply, Effect.succeed(response)),
    packet: (rtp) => {
      Deferred.doneUnsafe(packet, since())
      if (!Deferred.isDoneUnsafe(keyframe) && beginsKeyframe(rtp)) Deferred.doneUnsafe(keyframe, since())
    }
  })
  socket.on("data", take)
  socket.on("close", () => {
    Deferred.doneUnsafe(reply, Effect.succeed({ status: 0, headers: "", body: "" }))
    Deferred.doneUnsafe(ended, Effect.void)
  })

  const base = `rtsp://${authority(host ?? "127.0.0.1", port)}/${path}${query}`
  const credentials = token === undefined ? [] : [`Authorization: Basic ${btoa(`viewer:${token}`)}`]
  let sequence = 0
  const ask = Effect.fnUntraced(function* (step: string, url: string, headers: ReadonlyArray<string>) {
    reply = Deferred.makeUnsafe<Response>()
    socket.write([`${step} ${url} RTSP/1.0`, `CSeq: ${++sequence}`, ...credentials, ...headers, "\r\n"].join("\r\n"))
    const response = yield* Deferred.await(reply)
    return response.status === 200 ? response : yield* new RtspRefused({ step, status: response.status })
  })

  began = performance.now()
  const { body: sdp, headers: described } = yield* ask("DESCRIBE", base, ["Accept: application/sdp"])
  const control = /^m=video[\s\S]*?^a=control:(\S+)/m.exec(sdp)?.[1] ?? ""
  const contentBase = /^content-base:\s*(\S+)/im.exec(described)?.[1] ?? `${base}/`
  const track = control.startsWith("rtsp://") ? control : `${contentBase}${control}`
  const { headers } = yield* ask("SETUP", track, ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1"])
  const session = /^session:\s*([^;\s]+)/im.exec(headers)?.[1] ?? ""
  yield* ask("PLAY", contentBase, [`Session: ${session}`])
  return {
    sdp,
    firstPacket: Deferred.await(packet),
    firstKeyframe: Deferred.await(keyframe),
    ended: Deferred.await(ended)
  } satisfies RtspReader as RtspReader
})
