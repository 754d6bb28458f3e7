import { assert, describe, it } from "vitest"
import { type CameraPath, differs } from "../../src/stream/CameraPath.ts"

const wanted: CameraPath = {
  source: "publisher",
  overridePublisher: false,
  runOnDemand: "true",
  runOnDemandStartTimeout: "10s",
  record: false,
  recordPath: "/data/recordings/%path_%Y-%m-%d_%H-%M-%S_%f",
  recordFormat: "fmp4",
  recordPartDuration: "200ms",
  recordSegmentDuration: "3600s",
  recordDeleteAfter: "0s"
}

describe("what differs in a path", () => {
  it("is nothing when all is as wanted, whatever else the path has", () => {
    assert.isUndefined(differs(wanted, { ...wanted, maxReaders: 7 }))
  })

  it("is nothing where MediaMTX writes the same time otherwise", () => {
    const same = { recordSegmentDuration: "1h0m0s", recordPartDuration: "0.2s", recordDeleteAfter: "" }
    assert.isUndefined(differs(wanted, { ...wanted, ...same }))
    const long = { ...wanted, recordSegmentDuration: "90061.5s" }
    assert.isUndefined(differs(long, { ...long, recordSegmentDuration: "1d1h1m1.5s" }))
  })

  it("is what has another value, and nothing more", () => {
    assert.deepEqual(differs(wanted, { ...wanted, record: true }), { record: false })
    assert.deepEqual(differs(wanted, { ...wanted, recordSegmentDuration: "1h0m1s", recordFormat: "mpegts" }), {
      recordSegmentDuration: "3600s",
      recordFormat: "fmp4"
    })
  })

  it("is what is missing, or of another type", () => {
    const { recordPath, ...rest } = wanted
    assert.deepEqual(differs(wanted, rest), { recordPath })
    assert.deepEqual(differs(wanted, { ...wanted, record: "false" }), { record: false })
    assert.deepEqual(differs(wanted, { ...wanted, runOnDemandStartTimeout: 10 }), { runOnDemandStartTimeout: "10s" })
  })
})
