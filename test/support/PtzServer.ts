import * as Effect from "effect/Effect"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { callIn, playCamera, type PlayedCamera, soap } from "./OnvifCamera.ts"

/** An ONVIF camera on this machine (port 0: any); `calls`: what it was asked, in order. */
export const serveOnvif = Effect.fnUntraced(function* (
  played: PlayedCamera,
  at: { readonly address: string; readonly port: number } = { address: "127.0.0.1", port: 0 }
) {
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
        ({ body: text, contentType, status }) =>
          response.writeHead(status, { "Content-Type": contentType, "Content-Length": text.byteLength }).end(text)
      )
    })
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(at.port, at.address, () => resume(Effect.void))),
    () => Effect.sync(() => server.close().closeAllConnections())
  )
  const { port } = server.address() as AddressInfo
  host = `${at.address}:${port}`
  return { address: `http://${host}/onvif/device_service`, calls, port }
})

/** One that can be moved, whose stream is this one. */
export const servePtz = (stream: string) => {
  const streamOf = () =>
    soap(`<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>${stream}</tt:Uri></trt:MediaUri></trt:GetStreamUriResponse>`)
  return serveOnvif({ ptz: { p1: "Gate" }, instead: { GetStreamUri: streamOf } })
}
