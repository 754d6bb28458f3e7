import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import { createServer, type RequestListener, type Server } from "node:http"
import { Settings } from "../../src/config/Settings.ts"
import { Loopback } from "../../src/ground/Loopback.ts"
import { MediaMtxApi } from "../../src/process/MediaMtxApi.ts"
import { key } from "../support/Key.ts"
import { freePorts } from "../support/FreePorts.ts"
import { testSettings } from "../support/TestSettings.ts"

/** The client of a server that answers as `listener` does. */
const apiOf = Effect.fnUntraced(function* (listener: RequestListener) {
  const server = yield* Effect.acquireRelease(
    Effect.callback<Server>((resume) => {
      const server = createServer(listener)
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )
  const address = server.address()
  return yield* apiAt(typeof address === "object" && address !== null ? address.port : 0)
})

const apiAt = Effect.fnUntraced(function* (port: number) {
  const settings = Layer.succeed(Settings, testSettings({ mediamtx: { api_port: port } }))
  return Context.get(
    yield* Layer.build(MediaMtxApi.layer.pipe(Layer.provide([Loopback.layer, key]), Layer.provide(settings))),
    MediaMtxApi
  )
})

const path = (name: string) => ({
  name,
  available: false,
  readers: [],
  inboundBytes: 1,
  outboundBytes: 2
})

describe("MediaMTX's API", () => {
  it.effect("is unavailable while nobody listens there", () =>
    Effect.gen(function* () {
      const [port = 0] = yield* freePorts(1)
      const api = yield* apiAt(port)
      const error = yield* Effect.flip(api.listPaths)
      assert.strictEqual(error._tag, "MediaMtxUnavailable")
      assert.include(error.detail, "ECONNREFUSED")
    })
  )

  it.effect("is unavailable when it does not answer within 5 s", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const api = yield* apiOf(() => Deferred.doneUnsafe(asked, Exit.void))
      const call = yield* Effect.forkChild(Effect.flip(api.listPaths))
      yield* Deferred.await(asked)
      yield* TestClock.adjust("5 seconds")
      assert.deepInclude(yield* Fiber.join(call), { _tag: "MediaMtxUnavailable", detail: "no answer within 5 s" })
    })
  )

  it.effect("is unavailable when it breaks off, and when it is something else", () =>
    Effect.gen(function* () {
      const broken = yield* apiOf((_, response) => {
        response.writeHead(200, { "content-length": 100 }).write("{")
        response.destroy()
      })
      assert.strictEqual((yield* Effect.flip(broken.listPaths))._tag, "MediaMtxUnavailable")
      const other = yield* apiOf((_, response) => response.end("<html>a router</html>"))
      assert.include((yield* Effect.flip(other.listPaths)).detail, "is it MediaMTX")
    })
  )

  it.effect("is asked for all pages", () =>
    Effect.gen(function* () {
      const api = yield* apiOf((request, response) => {
        const page = new URL(request.url ?? "", "http://x").searchParams.get("page")
        response.end(JSON.stringify({ pageCount: 3, items: [path(`camera${page}`)] }))
      })
      const paths = yield* api.listPaths
      assert.deepStrictEqual(
        paths.map(({ name }) => name),
        ["camera0", "camera1", "camera2"]
      )
    })
  )

  it.effect("tells what runs: readers and bytes", () =>
    Effect.gen(function* () {
      const item = {
        ...path("camera0"),
        available: true,
        readers: [
          { type: "hlsSession", id: "2" },
          { type: "rtspSession", id: "3" }
        ]
      }
      const api = yield* apiOf((_, response) => response.end(JSON.stringify({ pageCount: 1, items: [item] })))
      const state = { name: "camera0", ready: true, readers: 2, bytesReceived: 1, bytesSent: 2 }
      assert.deepStrictEqual(yield* api.listPaths, [state])
    })
  )

  it.effect("hands its reason on when it refuses", () =>
    Effect.gen(function* () {
      const api = yield* apiOf((_, response) => response.writeHead(400).end('{"error":"invalid source"}'))
      assert.deepInclude(yield* Effect.flip(api.addPath("camera0", {})), {
        _tag: "MediaMtxRefused",
        status: 400,
        detail: "invalid source"
      })
    })
  )
})
