import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { decodeRecord } from "../../src/config/Settings.ts"
import { planOf, together } from "../../src/external/ScanPlan.ts"

describe("where streams are looked for", () => {
  it("is each address of the ranges once, in their order, by each port, without the network's own addresses", () => {
    const plan = planOf(
      "skydio_stanag4609",
      ["192.168.42.10", "192.168.42.0/24"],
      ["5554/subject", "6554/infrared", "5554/other"]
    )
    const doors = [...plan.doors]
    assert.strictEqual(doors.length, 254 * 2)
    assert.strictEqual(plan.size, doors.length)
    const type = "skydio_stanag4609" as const
    assert.deepEqual(doors.slice(0, 3), [
      { address: "192.168.42.10", port: 5554, paths: ["/subject", "/other"], type },
      { address: "192.168.42.10", port: 6554, paths: ["/infrared"], type },
      { address: "192.168.42.1", port: 5554, paths: ["/subject", "/other"], type }
    ])
    const addresses = doors.map(({ address }) => address)
    assert.notInclude(addresses, "192.168.42.0")
    assert.notInclude(addresses, "192.168.42.255")
    const of = (...ranges: ReadonlyArray<string>) =>
      Array.from(planOf("generic_rtsp", ranges, ["554/live"]).doors, ({ address }) => address)
    assert.deepEqual(of("255.255.255.254/31"), ["255.255.255.254", "255.255.255.255"])
    assert.deepEqual(of("10.1.2.3/32"), ["10.1.2.3"])
    // whichever of its addresses a network is called by
    assert.deepEqual(of("10.0.0.7/29").slice(0, 2), ["10.0.0.1", "10.0.0.2"])
    assert.strictEqual(of("10.0.0.0/22").length, 1022)
    const both = together([planOf("generic_rtsp", ["10.0.0.1"], ["1/a"]), planOf("onvif", ["10.0.0.2"], ["2/b"])])
    assert.deepEqual([both.size, Array.from(both.doors, ({ port }) => port)], [2, [1, 2]])
  })

  const isTaken = (key: string, value: unknown) =>
    Effect.map(Effect.exit(decodeRecord({ discovery: { [key]: value } })), Exit.isSuccess)

  it.effect("can be no more than 1024 addresses a range, and no names", () =>
    Effect.gen(function* () {
      for (const range of ["192.168.42.10", "10.0.0.0/22", "10.0.0.0/24", "1.2.3.4/32"]) {
        assert.isTrue(yield* isTaken("skydio_ranges", [range]), range)
      }
      for (const range of [
        "10.0.0.0/21",
        "10.0.0.0/0",
        "0.0.0.0/",
        "10.0.0",
        "10.0.0.256",
        "::1/128",
        "camera.local",
        ""
      ]) {
        assert.isFalse(yield* isTaken("generic_ranges", [range]), range)
      }
      assert.isFalse(
        yield* isTaken(
          "generic_ranges",
          Array.from({ length: 17 }, () => "10.0.0.0/24")
        )
      )
      for (const stream of ["554/", "8554/live/1?a=b", "65535/x"]) {
        assert.isTrue(yield* isTaken("generic_streams", [stream]), stream)
      }
      for (const stream of ["0/x", "65536/x", "554", "/live", "554/a b", "554/a#b", "554/a\n", "554/$G1"]) {
        assert.isFalse(yield* isTaken("skydio_streams", [stream]), stream)
      }
    })
  )
})
