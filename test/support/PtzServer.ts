import * as Effect from "effect/Effect"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { playCamera, soap } from "./OnvifCamera.ts"

/** An ONVIF camera that can be moved, on this machine, whose stream is that one; `calls`: what it was asked, in order. */
export const servePtz = Effect.fnUntraced(function* (stream: string) {
  let host = ""
  const streamOf = () =>
    soap(`<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>${stream}</tt:Uri></trt:MediaUri></trt:GetStreamUriResponse>`)
  const play = () => playCamera({ host, ptz: { p1: "Gate" }, instead: { GetStreamUri: streamOf } })
  const calls: Array<string> = []
  const server = createServer((request, response) => {
    let body = ""
    request.setEncoding("utf8").on("data", (text: string) => void (body += text))
    request.on("end", () => {
      calls.push(/<s:Body><(\w+)/.exec(body)?.[1] ?? "")
      const { method = "POST", url = "/" } = request
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
      const asked = {
        ...{ address: "127.0.0.1", port: 80, isSecure: false, maxBytes: 1 << 20 },
        method: method === "GET" ? ("GET" as const) : ("POST" as const),
        target: url,
        headers,
        body
      }
      void Effect.runPromise(play().answer(asked)).then(({ body: text, contentType, status }) =>
        response.writeHead(status, { "content-type": contentType }).end(text)
      )
    })
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () => Effect.sync(() => server.close().closeAllConnections())
  )
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { address: `http://${host}/onvif/device_service`, calls }
})
