import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { TopicEvent } from "../../schema/Event.ts"
import { lines, watch } from "../../src/cli/Watch.ts"
import { StandardFolders } from "../../src/storage/DataFolder.ts"
import { eventually } from "../support/Eventually.ts"
import { realGround } from "../support/Ground.ts"
import { otherEnd } from "./OtherEnd.ts"

const timestamp = "2026-01-02T03:04:05.000Z"
type Health = Extract<TopicEvent, { readonly topic: "system.health" }>
const health = (uptime: number, over: Partial<Health["data"]> = {}): Health => ({
  topic: "system.health",
  timestamp,
  data: {
    ...{ status: "HEALTHY", uptime, version: "1" },
    components: { websocket_server: "RUNNING", camera_monitor: "RUNNING", mediamtx: "RUNNING" },
    ...over
  }
})

it("of the service's health is told what is new, and of a camera what ails it", () => {
  const lineOf = lines()
  assert.include(lineOf(health(1)), "status=HEALTHY\n")
  assert.isUndefined(lineOf(health(2)))
  const ill = { status: "DEGRADED", reasons: ["camera1: NO_VIDEO"] } as const
  assert.include(lineOf(health(3, ill)), "status=DEGRADED camera1: NO_VIDEO\n")
  assert.isUndefined(lineOf(health(4, ill)))
  const streams = { rtsp: "", hls: "", webrtc: "" }
  const line = lineOf({
    ...{ topic: "camera.status_change", device: "camera1", timestamp },
    data: {
      ...{ device: "camera1", status: "ERROR", name: "a\nb", resolution: "1x1", fps: 1, streams },
      fault: { kind: "BUSY", detail: "opened by obs (process 812)", suggestion: "end it" }
    }
  })
  assert.include(line, "status=ERROR name=a?b resolution=1x1 fps=1 fault=BUSY (opened by obs (process 812))\n")
})

it.live("a watch whose token is refused from now on ends with the reason", () =>
  Effect.gen(function* () {
    const service = yield* otherEnd(() => ({ result: { subscribed: true, topics: [], filters: {} } }))
    const watching = yield* Effect.forkChild(watch(service.request, service.from), { startImmediately: true })
    yield* eventually(
      "it has subscribed",
      Effect.sync(() => service.calls.includes("subscribe_events"))
    )
    service.revoke("the key was revoked")
    const { message } = yield* Effect.flip(Fiber.join(watching))
    assert.include(message, "Not authenticated: the key was revoked")
  }).pipe(Effect.scoped, Effect.provideService(StandardFolders, []), Effect.provide(realGround))
)
