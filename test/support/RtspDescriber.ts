import * as Effect from "effect/Effect"
import { createServer } from "node:net"

/** Answers DESCRIBE on this port with an SDP whose H.264 has the SPS that `sps` gives (base64), as long as the scope lives. */
export const describing = (port: number, sps: () => string | undefined) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly close: () => void }>((resume) => {
      const server = createServer((socket) => {
        socket.on("error", () => undefined)
        socket.once("data", () => {
          const set = sps()
          const parameters = set === undefined ? "" : `; sprop-parameter-sets=${set},aM48gA==`
          const sdp = `v=0\r\nm=video 0 RTP/AVP 96\r\na=fmtp:96 packetization-mode=1${parameters}\r\n`
          socket.end(`RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: ${sdp.length}\r\n\r\n${sdp}`)
        })
      })
      server.listen(port, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  )
