import { describe, expect, it } from "vitest"
import { DependencyFailed, InvalidParams, PermissionDenied } from "../../schema/Errors.ts"
import { behind, bitrate, bytes, clockTime, span } from "../../src/console/format.ts"
import { addressOf, routeOf } from "../../src/console/routes.ts"
import { tokenIn } from "../../src/console/session/LoginLink.ts"
import { troubleOf } from "../../src/console/words.ts"

describe("numbers as people read them", () => {
  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1536, "1.5 KiB"],
    [150 * 1024 * 1024, "150 MiB"],
    [3 * 1024 ** 4, "3.0 TiB"]
  ])("%i bytes are %s", (count, words) => expect(bytes(count)).toBe(words))

  it.each([
    [7.9, "0:07"],
    [3723, "1:02:03"],
    [-1, "0:00"]
  ])("%d seconds on a clock are %s", (seconds, words) => expect(clockTime(seconds)).toBe(words))

  it.each([
    [40, "40 ms"],
    [-600, "0 ms"],
    [4200, "4 s"],
    [200_000, "3 min"],
    [86_400_000, "24 h"],
    [5 * 86_400_000, "5 d"]
  ])("%i ms last %s", (milliseconds, words) => expect(span(milliseconds)).toBe(words))

  it("what is behind is told in milliseconds, or tenths of a second", () =>
    expect([84.6, 999.4, 1449].map(behind)).toEqual(["85 ms", "999 ms", "1.4 s"]))

  it("bits per second have a unit", () =>
    expect([bitrate(599_600), bitrate(2_400_000)]).toEqual(["600 kbit/s", "2.4 Mbit/s"]))
})

describe("the page's address", () => {
  it("names a view, and nothing that is none", () => {
    for (const route of [
      { view: "wall" },
      { view: "events" },
      { view: "camera", device: "camera12" },
      { view: "recordings" },
      { view: "recordings", device: "camera3", at: 1_764_446_000_123 }
    ] as const) {
      expect(routeOf(addressOf(route))).toEqual(route)
    }
    for (const other of [
      "",
      "#",
      "#/nowhere",
      "#/camera/",
      "#/camera/../x",
      "#/events/camera0",
      "#/recordings/camera0/never",
      "#/camera/camera0/2026-01-01T00:00:00Z",
      "#token=x"
    ]) {
      expect(routeOf(other)).toEqual({ view: "wall" })
    }
  })

  it("may hold a token", () => {
    expect(tokenIn("#token=a.b-c_d")).toBe("a.b-c_d")
    expect([tokenIn("#/events"), tokenIn("#token="), tokenIn("")]).toEqual([undefined, undefined, undefined])
  })
})

describe("what went wrong", () => {
  it("is said with what to do about it", () => {
    expect(
      troubleOf(new DependencyFailed({ dependency: "camera", detail: "it is not there", suggestion: "plug it in" }))
    ).toEqual({
      what: "It is not there.",
      advice: "Plug it in."
    })
    expect(troubleOf(new PermissionDenied({ required_role: "admin", have_role: "viewer" })).what).toMatch(/needs admin/)
    expect(troubleOf(new InvalidParams({ param: "quality", rule: "1 to 100", hint: "200 is too much" }))).toEqual({
      what: "quality: 1 to 100.",
      advice: "200 is too much"
    })
    expect(troubleOf("boom").what).toBe("boom")
  })
})
