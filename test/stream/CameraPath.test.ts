import { assert, describe, it } from "vitest"
import { type CameraPath, differences } from "../../src/stream/CameraPath.ts"

const wanted: CameraPath = {
  source: "publisher",
  overridePublisher: false,
  runOnDemand: "true",
  runOnDemandStartTimeout: "10s",
  rtspDemuxMpegts: true,
  record: false,
  recordPath: "/data/recordings/%path_%Y-%m-%d_%H-%M-%S_%f",
  recordFormat: "fmp4",
  recordPartDuration: "200ms",
  recordSegmentDuration: "3600s",
  recordDeleteAfter: "0s"
}

/** As the server gives it for a path that sets nothing. */
const defaults = { source: "publisher", recordPath: "./recordings/%path/%Y", maxReaders: 0, runOnInit: "", forward: [] }

describe("what differs in a path", () => {
  it("is nothing when all is as we make it", () => {
    assert.isEmpty(differences(wanted, defaults, { ...defaults, ...wanted }))
  })

  it("is nothing where MediaMTX writes the same time otherwise", () => {
    const same = { recordSegmentDuration: "1h0m0s", recordPartDuration: "0.2s", recordDeleteAfter: "" }
    assert.isEmpty(differences(wanted, {}, { ...wanted, ...same }))
    const long = { ...wanted, recordSegmentDuration: "90061.5s" }
    assert.isEmpty(differences(long, {}, { ...long, recordSegmentDuration: "1d1h1m1.5s" }))
  })

  it("is what has another value, of ours or of the server's", () => {
    const by = (hand: Readonly<Record<string, unknown>>) =>
      differences(wanted, defaults, { ...defaults, ...wanted, ...hand })
    assert.deepEqual(by({ record: true }), ["record"])
    assert.deepEqual(by({ recordSegmentDuration: "1h0m1s", recordFormat: "mpegts" }), [
      "recordFormat",
      "recordSegmentDuration"
    ])
    assert.deepEqual(by({ runOnInit: "touch /tmp/x" }), ["runOnInit"])
    assert.deepEqual(by({ forward: [{ url: "rtsps://elsewhere" }] }), ["forward"])
    assert.deepEqual(by({ runOnSomethingNew: "touch /tmp/x" }), ["runOnSomethingNew"])
  })

  it("is what is missing, or of another type", () => {
    const { recordPath, ...rest } = wanted
    assert.deepEqual(differences(wanted, {}, rest), ["recordPath"])
    assert.isDefined(recordPath)
    assert.deepEqual(differences(wanted, {}, { ...wanted, record: "false" }), ["record"])
    assert.deepEqual(differences(wanted, {}, { ...wanted, runOnDemandStartTimeout: 10 }), ["runOnDemandStartTimeout"])
  })
})
