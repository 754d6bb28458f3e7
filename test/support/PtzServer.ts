import * as Effect from "effect/Effect"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { callIn, playCamera, type PlayedCamera, soap } from "./OnvifCamera.ts"

/** An ONVIF camera on this machine, at any port; `calls`: what it was asked, in order. */
export const serveOnvif = Effect.fnUntraced(function* (played: PlayedCamera) {
  let host = ""
  const calls: Array<string> = []
  const server = createServer((request, response) => {
    let body = ""
    request.setEncoding("utf8").on("data", (text: string) => void (body += text))
    request.on("end", () => {
      calls.push(callIn(body))
      const { method = "POST", url = "/" } = request
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
      const asked = {
        ...{ address: "127.0.0.1", port: 80, isSecure: false, maxBytes: 1 << 20 },
        method: method === "GET" ? ("GET" as const) : ("POST" as const),
        target: url,
        headers,
        body
      }
      void Effect.runPromise(playCamera({ ...played, host }).answer(asked)).then(
        ({ body: text, contentType, status }) => response.writeHead(status, { "content-type": contentType }).end(text)
      )
    })
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () => Effect.sync(() => server.close().closeAllConnections())
  )
  const { port } = server.address() as AddressInfo
  host = `127.0.0.1:${port}`
  return { address: `http://${host}/onvif/device_service`, calls, port }
})

/** One that can be moved, whose stream is this one. */
export const servePtz = (stream: string) => {
  const streamOf = () =>
    soap(`<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>${stream}</tt:Uri></trt:MediaUri></trt:GetStreamUriResponse>`)
  return serveOnvif({ ptz: { p1: "Gate" }, instead: { GetStreamUri: streamOf } })
}
