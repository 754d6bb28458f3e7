import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { Settings } from "../../../src/config/Settings.ts"
import { OnvifClient } from "../../../src/external/onvif/OnvifClient.ts"
import type { OnvifTarget } from "../../../src/external/onvif/OnvifTarget.ts"
import { Reach } from "../../../src/external/Reach.ts"
import { Neighbours } from "../../../testing/Neighbours.ts"
import * as Chance from "../../../testing/Chance.ts"
import * as MemoryNetwork from "../../../testing/MemoryNetwork.ts"
import { MemoryResolver } from "../../../testing/MemoryResolver.ts"
import { fault, playCamera, type PlayedCamera, reply, soap } from "../../support/OnvifCamera.ts"
import { testSettings } from "../../support/TestSettings.ts"
import { Trials } from "../../../src/rtsp/Trials.ts"

const settings = testSettings({ external: { allowed_hosts: ["127.0.0.0/8"] } })
const reach = Reach.layer.pipe(Layer.provide([MemoryResolver.layer, Layer.succeed(Settings, settings)]))
const layer = OnvifClient.layer.pipe(Layer.provideMerge(MemoryNetwork.layer), Layer.provide([Chance.layer, reach]))

const target: OnvifTarget = { address: "192.168.1.64", port: 80, isSecure: false, path: "/onvif/device_service" }
const user = { name: "admin", password: "s3cret" }
const as = (name: string, password: string): OnvifTarget => ({
  ...target,
  credentials: { user: name, password: Redacted.make(password), mayBeSentInClear: false, trials: new Trials(() => 0) }
})
const known = () => as(user.name, user.password)

/** a camera at the target's address */
const camera = Effect.fnUntraced(function* (played: PlayedCamera = {}) {
  const { answer, seen } = playCamera(played)
  const { serve } = yield* Neighbours
  yield* serve(target.address, target.port, answer)
  return seen
})

const tenYears = 10 * 365 * 86_400_000
const uris = ["rtsp://192.168.1.64:554/p0?a=1&b=2", "rtsp://192.168.1.64:554/p1?a=1&b=2"]

describe("an ONVIF camera", () => {
  it.effect("tells its streams in four calls, at the address where it was reached, whatever it takes for its own", () =>
    Effect.gen(function* () {
      const seen = yield* camera({ host: "admin:admin@169.254.169.254" })
      const { describe } = yield* OnvifClient
      const { errors, information, streams } = yield* describe(target)
      assert.deepEqual(information, { manufacturer: "Acme", model: "Dome & Co", firmware: "1.0", serial: "SN1" })
      assert.deepEqual(errors, [])
      assert.deepEqual(streams, [
        { token: "p0", name: "mainStream", encoding: "JPEG", width: 1920, height: 1080, rate: 25, hasPtz: false },
        { token: "p1", name: "subStream", encoding: "H264", width: 640, height: 480, rate: 25, hasPtz: false }
      ])
      assert.isTrue(seen.requests.every(({ address }) => address === target.address))
      assert.deepEqual(seen.calls, ["GetSystemDateAndTime", "GetDeviceInformation", "GetServices", "GetProfiles"])
      assert.strictEqual(seen.requests.at(-1)?.target, "/onvif/media_service")
    }).pipe(Effect.provide(layer))
  )

  it.effect("is watched by its H.264 where it has some", () =>
    Effect.gen(function* () {
      yield* camera()
      const { uriOf } = yield* OnvifClient
      assert.strictEqual((yield* uriOf(target)).uri, uris[1])
    }).pipe(Effect.provide(layer))
  )

  for (const [how, clockAhead] of [
    ["ten years behind", -tenYears],
    ["right", 0],
    ["ten years ahead", tenYears]
  ] as const) {
    it.effect(`whose clock is ${how} accepts a password, which it never sees`, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(Date.UTC(2026, 10, 29, 12))
        const seen = yield* camera({ user, clockAhead })
        const { describe } = yield* OnvifClient
        const { errors, streams } = yield* describe(known())
        assert.deepEqual(errors, [])
        assert.strictEqual(streams.length, 2)
        assert.strictEqual(seen.refusals, 0)
        assert.notInclude(JSON.stringify(seen.requests), user.password)
        assert.notInclude(seen.calls.join(" "), "SetSystemDateAndTime")
      }).pipe(Effect.provide(layer))
    )
  }

  it.effect("that tells no time in UTC is believed the time of its place", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2026, 10, 29, 12))
      yield* camera({
        user,
        clockAhead: 5 * 3_600_000,
        instead: { GetSystemDateAndTime: (answer) => answer.replaceAll("UTCDateTime", "LocalDateTime") }
      })
      const { uriOf } = yield* OnvifClient
      assert.strictEqual((yield* uriOf(known())).uri, uris[1])
    }).pipe(Effect.provide(layer))
  )

  it.effect("that tells the time of its place for that in UTC, by which it goes itself, accepts a password", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2026, 10, 29, 12))
      const seen = yield* camera({ user, tellsAhead: 5 * 3_600_000 })
      const { describe } = yield* OnvifClient
      const { isLocked, streams } = yield* describe(known())
      assert.deepEqual([isLocked, streams.length], [false, 2])
      assert.strictEqual(seen.refusals, 1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("that wants HTTP's digest gets that, and is asked so from then on", () =>
    Effect.gen(function* () {
      const seen = yield* camera({ user, wantsHttpDigest: true })
      const { describe } = yield* OnvifClient
      const { errors, streams } = yield* describe(known())
      assert.deepEqual(errors, [])
      assert.strictEqual(streams.length, 2)
      assert.strictEqual(seen.refusals, 1)
      assert.notInclude(JSON.stringify(seen.requests), user.password)
    }).pipe(Effect.provide(layer))
  )

  for (const wantsHttpDigest of [false, true]) {
    it.effect(
      `that refuses a password is not shown it more than twice, for it would lock the account (${wantsHttpDigest ? "HTTP" : "WS-Security"})`,
      () =>
        Effect.gen(function* () {
          const seen = yield* camera({ user, wantsHttpDigest })
          const { describe, uriOf } = yield* OnvifClient
          const { isLocked, streams } = yield* describe(as("admin", "wrong"))
          assert.isTrue(isLocked)
          assert.deepEqual(streams, [])
          assert.isAtMost(seen.refusals, 2)
          assert.strictEqual((yield* Effect.flip(uriOf(as("admin", "wrong")))).kind, "AUTH_FAILED")
        }).pipe(Effect.provide(layer))
    )
  }

  it.effect("that wants a password says so where there is none", () =>
    Effect.gen(function* () {
      yield* camera({ user })
      const { uriOf } = yield* OnvifClient
      const { detail, kind } = yield* Effect.flip(uriOf(target))
      assert.deepEqual([kind, detail], ["AUTH_FAILED", "it wants a user and a password"])
    }).pipe(Effect.provide(layer))
  )

  it.effect("whose clock is years off, and who may not know one thing, tells the rest", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2026, 10, 29, 12))
      yield* camera({
        user,
        clockAhead: tenYears,
        instead: { GetServices: () => reply(fault("NotAuthorized", "not for you"), 400) }
      })
      const { describe } = yield* OnvifClient
      assert.strictEqual((yield* describe(known())).streams.length, 2)
    }).pipe(Effect.provide(layer))
  )

  it.effect("that answers with too much is there, and no ONVIF that is read here", () =>
    Effect.gen(function* () {
      yield* camera({ instead: { GetProfiles: () => reply("x".repeat(270_000)) } })
      const { uriOf } = yield* OnvifClient
      const { detail, kind } = yield* Effect.flip(uriOf(target))
      assert.deepEqual([kind, detail], ["PROTOCOL", "the reply is too large"])
    }).pipe(Effect.provide(layer))
  )

  const bad: Readonly<Record<string, (answer: string) => string | ReturnType<typeof reply>>> = {
    "a document type": (answer) => answer.replace("?>", '?><!DOCTYPE a [<!ENTITY x "y">]>'),
    "half of it": (answer) => answer.slice(0, answer.length / 2),
    "a page": () => reply("<html><body>404</body></html>", 404),
    nothing: () => reply(""),
    "more than 256 KiB": (answer) => answer.replace("</tds:Model>", `${"x".repeat(270_000)}</tds:Model>`),
    "other bytes": () => reply("\u0000\u0001\ufffd".repeat(50)),
    "a redirect": () => reply("", 302),
    "an answer to something else": (answer) => answer.replaceAll("GetDeviceInformationResponse", "GetUsersResponse"),
    "too many tags": () => soap("<a/>".repeat(3000))
  }
  for (const [what, change] of Object.entries(bad)) {
    it.effect(`that answers one question with ${what} still has its streams`, () =>
      Effect.gen(function* () {
        yield* camera({ instead: { GetDeviceInformation: change } })
        const { describe } = yield* OnvifClient
        const { errors, information, streams } = yield* describe(target)
        assert.isUndefined(information)
        assert.strictEqual(streams.length, 2)
        assert.strictEqual(errors.length, 1)
      }).pipe(Effect.provide(layer))
    )
  }

  for (const [what, year, month, day] of [
    ["that no clock has", 2026, 999_999_999, 1],
    ["of the last millisecond that there is", 1970, 1, 100_000_001],
    ["before all time", 1970, -999_999, 1]
  ] as const) {
    it.effect(`that tells a time ${what} is asked by ours`, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(Date.UTC(2026, 10, 29, 12))
        const date = `<tt:Year>${year}</tt:Year><tt:Month>${month}</tt:Month><tt:Day>${day}</tt:Day>`
        const tell = (answer: string) => answer.replace(/<tt:Year>.*<\/tt:Day>/, date)
        yield* camera({ user, instead: { GetSystemDateAndTime: tell } })
        const { describe } = yield* OnvifClient
        const { errors, streams } = yield* describe(known())
        assert.deepEqual(errors, ["what it answers to GetSystemDateAndTime is not what ONVIF has"])
        assert.strictEqual(streams.length, 2)
      }).pipe(Effect.provide(layer))
    )
  }

  it.effect("that names one of our own ports for its media service is asked nothing there", () =>
    Effect.gen(function* () {
      const { serve } = yield* Neighbours
      const here = { ...target, address: "127.0.0.1" }
      const ours = playCamera()
      yield* serve(here.address, settings.boot.mediamtx.api_port, ours.answer)
      const { answer } = playCamera({ host: `127.0.0.1:${settings.boot.mediamtx.api_port}` })
      yield* serve(here.address, here.port, answer)
      const { uriOf } = yield* OnvifClient
      const { detail, kind } = yield* Effect.flip(uriOf(here))
      assert.deepEqual([kind, detail], ["UNREACHABLE", "cameras may not be there: it is a port of this service"])
      assert.deepEqual(ours.seen.calls, [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("that is not there, or says nothing, fails in three seconds, and is not asked on", () =>
    Effect.gen(function* () {
      const { describe } = yield* OnvifClient
      const { detail, kind } = yield* Effect.flip(describe(target))
      assert.deepEqual([kind, detail], ["UNREACHABLE", "there is no such machine in its network"])
      const { serve } = yield* Neighbours
      yield* serve(target.address, target.port, () => Effect.never)
      const asking = yield* Effect.forkChild(Effect.flip(describe(target)))
      yield* TestClock.adjust("3 seconds")
      assert.deepInclude(yield* Fiber.join(asking), { kind: "UNREACHABLE", detail: "no answer within 3 seconds" })
    }).pipe(Effect.provide(layer))
  )

  it.effect("of 2016 and later is asked by its newer service where it has no other", () =>
    Effect.gen(function* () {
      const seen = yield* camera({
        instead: {
          GetServices: (answer) => answer.replaceAll("ver10/media", "ver20/media"),
          GetProfiles: () =>
            soap(
              '<tr2:GetProfilesResponse><tr2:Profiles token="m2"><tr2:Name>Main</tr2:Name><tr2:Configurations><tr2:VideoEncoder token="e"><tt:Encoding>H265</tt:Encoding><tt:Resolution><tt:Width>3840</tt:Width><tt:Height>2160</tt:Height></tt:Resolution></tr2:VideoEncoder></tr2:Configurations></tr2:Profiles></tr2:GetProfilesResponse>'
            ),
          GetStreamUri: () =>
            soap("<tr2:GetStreamUriResponse><tr2:Uri>rtsp://10.0.0.1/m2</tr2:Uri></tr2:GetStreamUriResponse>")
        }
      })
      const { describe, uriOf } = yield* OnvifClient
      const { streams } = yield* describe(target)
      assert.deepEqual(
        streams.map(({ encoding, width }) => [encoding, width]),
        [["H265", 3840]]
      )
      assert.strictEqual((yield* uriOf(target)).uri, "rtsp://192.168.1.64/m2")
      assert.include(JSON.stringify(seen.requests), "ver20/media/wsdl/GetStreamUri")
    }).pipe(Effect.provide(layer))
  )
})

describe("the camera that tests play", () => {
  const calls = ["GetSystemDateAndTime", "GetDeviceInformation", "GetServices", "GetProfiles", "GetStreamUri"]
  const others = ["GetSnapshotUri", "GetPresets", "ContinuousMove", "Stop", "GotoPreset", "GetUsers"]

  it.effect("declares each namespace that it names, in answers and faults alike, as clients of others want it", () =>
    Effect.gen(function* () {
      const { answer } = playCamera({ ptz: { p1: "Gate" }, picture: reply("") })
      for (const call of [...calls, ...others]) {
        const { body } = yield* answer({
          ...{ address: "192.168.1.64", port: 80, isSecure: false, method: "POST", target: "/", headers: {} },
          ...{ body: `<s:Body><${call} /></s:Body>`, maxBytes: 1 }
        })
        const xml = new TextDecoder().decode(body)
        const declared = new Set(Array.from(xml.matchAll(/xmlns:([\w-]+)=/g), ([, prefix]) => prefix))
        const named = Array.from(xml.matchAll(/[<>/]([\w-]+):\w/g), ([, prefix]) => prefix)
        const unknown = named.filter((prefix) => !declared.has(prefix) && !/^(rtsp|http)s?$/.test(prefix ?? ""))
        assert.deepEqual(unknown, [], call)
      }
    })
  )
})
