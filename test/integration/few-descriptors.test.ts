import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { eventually } from "../support/Eventually.ts"
import { connect } from "../support/PlainClient.ts"
import { startReady } from "../support/Service.ts"

const limit = (pid: number, most: number | string) => execFileSync("prlimit", [`--pid=${pid}`, `--nofile=${most}:`])

it.live("a service that may open nothing more says so, serves who is connected, and works again when it may", () =>
  Effect.gen(function* () {
    const service = yield* startReady()
    const client = yield* connect(service.url, yield* service.token({ role: "admin" }))
    yield* client.result("start_recording", { device: "camera0" })
    const [soft = ""] = execFileSync(
      "prlimit",
      [`--pid=${service.pid}`, "--nofile", "--raw", "--noheadings", "--output=SOFT"],
      {
        encoding: "utf8"
      }
    ).split("\n")
    // fewer than it has: none that becomes free can be taken
    limit(service.pid, 20)
    for (let i = 0; i < 5; i++) {
      assert.strictEqual(yield* client.result("ping"), "pong")
      yield* client.result("get_camera_list")
      const { error } = yield* client.call("take_snapshot", { device: "camera1" })
      assert.strictEqual(error?.code, -32_050, JSON.stringify(error))
    }
    const { error } = yield* client.call("create_api_key", { role: "viewer" })
    assert.strictEqual(error?.code, -32_050)
    limit(service.pid, soft.trim())
    yield* eventually(
      "pictures are taken again",
      Effect.map(client.call("take_snapshot", { device: "camera1" }), (reply) => reply.error === undefined)
    )
    yield* client.result("create_api_key", { role: "viewer" })
    yield* client.result("stop_recording", { device: "camera0" })
  })
)
