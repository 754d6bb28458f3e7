import { describe, expect, it } from "vitest"
import { type Part, partsSince, type Seen } from "../../src/health/Parts.ts"

const at = (seconds: number) => ({ wall: seconds * 1000, monotonic: seconds * 1000 })
const storage = (state: Seen["state"], error?: string): Seen => ({
  part: "storage",
  state,
  ...(error === undefined ? {} : { error })
})
const full = "no space is left on the disk"

/** What is known after it was seen so, second by second. */
const after = (...seen: ReadonlyArray<Seen>): Part | undefined =>
  seen.reduce<ReadonlyArray<Part>>((parts, one, second) => partsSince(parts, [one], at(second)), [])[0]

describe("a part of the service", () => {
  it("is what it is since that changed, however often it is looked at", () => {
    expect(after(storage("RUNNING"), storage("ERROR", full), storage("ERROR", full))).toEqual({
      ...storage("ERROR", full),
      since: at(1),
      lastError: { detail: full, at: at(1) }
    })
  })

  it("keeps its last error when it is well again, and takes the next one", () => {
    const failed = [storage("RUNNING"), storage("ERROR", full), storage("RUNNING")]
    expect(after(...failed)).toEqual({ ...storage("RUNNING"), since: at(2), lastError: { detail: full, at: at(1) } })
    expect(after(...failed, storage("ERROR", full))?.lastError).toEqual({ detail: full, at: at(3) })
    const another = "the disk does not answer"
    expect(after(...failed, storage("ERROR", full), storage("ERROR", another))).toMatchObject({
      since: at(3),
      lastError: { detail: another, at: at(4) }
    })
  })

  it("is told apart by its camera, and forgotten with it", () => {
    const cameras: ReadonlyArray<Seen> = ["camera0", "camera1"].map((device) => ({
      part: "camera",
      device,
      state: "RUNNING"
    }))
    const parts = partsSince(partsSince([], cameras, at(0)), cameras.slice(1), at(1))
    expect(parts).toEqual([{ part: "camera", device: "camera1", state: "RUNNING", since: at(0) }])
    expect(partsSince(parts, cameras, at(2)).map(({ since }) => since)).toEqual([at(2), at(0)])
  })

  it("names no file of the machine, and shows addresses as they are", () => {
    const said =
      "ended with status 1: ERR: open /tmp/camera-service-x1/mediamtx.yml: no such file; rtsp://127.0.0.1:8554/camera0"
    expect(after(storage("ERROR", said))?.error).toBe(
      "ended with status 1: ERR: open a file: no such file; rtsp://127.0.0.1:8554/camera0"
    )
  })
})
