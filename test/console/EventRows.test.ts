import { assert, describe, it } from "@effect/vitest"
import type { TopicEvent } from "../../schema/Event.ts"
import { inRows } from "../../src/console/views/eventRows.ts"

const health = (reasons: ReadonlyArray<string>) =>
  ({
    topic: "system.health",
    timestamp: "2026-01-01T00:00:00.000Z",
    data: {
      status: reasons.length === 0 ? "HEALTHY" : "DEGRADED",
      components: { websocket_server: "RUNNING", camera_monitor: "RUNNING", mediamtx: "RUNNING" },
      reasons
    }
  }) as unknown as TopicEvent

const snapshot = (device: string) =>
  ({
    topic: "snapshot.taken",
    device,
    timestamp: "2026-01-01T00:00:00.000Z",
    data: { filename: "a.jpg", tier_name: "live" }
  }) as unknown as TopicEvent

/** Of events that are told newest first: what each row says, and how many it is. */
const rowsOf = (events: ReadonlyArray<TopicEvent>) =>
  inRows(events.map((event, at) => ({ event, id: events.length - at }))).map(({ count, id, words }) => [
    id,
    words,
    count
  ])

describe("the list of events", () => {
  it("tells once what is said again and again, by its newest, and how often", () => {
    const missing = health(["camera2: NOT_FOUND"])
    assert.deepStrictEqual(rowsOf([health([]), missing, missing, missing, health([]), missing]), [
      [6, "Healthy", 1],
      // the same row as when there was one of them
      [3, "Degraded · camera2: NOT_FOUND", 3],
      [2, "Healthy", 1],
      [1, "Degraded · camera2: NOT_FOUND", 1]
    ])
  })

  it.each([
    "ffmpeg ended with status 224: av_interleaved_write_frame(): Broken pipe",
    "ffmpeg was ended by SIGKILL: av_interleaved_write_frame(): Broken pipe"
  ])("says in words what waits, and keeps what FFmpeg said itself beside them: %s", (said) => {
    const event = {
      topic: "recording.error",
      device: "camera0",
      timestamp: "2026-01-01T00:00:00.000Z",
      data: { filename: "a.mp4", reason: `the media server did not take the stream any more (${said})` }
    } as unknown as TopicEvent
    const [row] = inRows([{ event, id: 1 }])
    assert.deepInclude(row, { words: "the media server did not take the stream any more", detail: said })
  })

  it("tells a part that is not well by its name where no reason is told", () => {
    const event = {
      topic: "system.health",
      timestamp: "2026-01-01T00:00:00.000Z",
      data: { status: "UNHEALTHY", components: { camera_monitor: "RUNNING", mediamtx: "ERROR" } }
    } as unknown as TopicEvent
    assert.deepStrictEqual(rowsOf([event]), [[1, "Unhealthy · MediaMTX: error", 1]])
  })

  it("keeps apart what happened to one camera and to another", () => {
    assert.lengthOf(rowsOf([snapshot("camera0"), snapshot("camera1"), snapshot("camera0")]), 3)
    assert.lengthOf(rowsOf([snapshot("camera0"), snapshot("camera0")]), 1)
  })
})
