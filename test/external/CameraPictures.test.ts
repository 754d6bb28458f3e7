import { assert, describe } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { ExternalStreams } from "../../src/external/ExternalStreams.ts"
import { parseStreamUrl } from "../../src/external/StreamUrl.ts"
import type { WebReply } from "../../src/ground/WebExchange.ts"
import { Snapshots } from "../../src/snapshot/Snapshots.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { numbered, numberOf } from "../../testing/Pictures.ts"
import { asTimePasses } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { bytesOf, take } from "../suites/snapshots.ts"
import { readyStream } from "../suites/streams.ts"
import { onFakes } from "../support/App.ts"
import { until } from "../support/Ground.ts"
import { playCamera, type PlayedCamera, reply } from "../support/OnvifCamera.ts"

const address = "192.168.1.64"
const user = { name: "admin", password: "canary" }
const jpeg = numbered(7)
const shows = (body: Uint8Array, status = 200): WebReply => ({
  status,
  contentType: "image/jpeg",
  challenges: [],
  body
})

/** An ONVIF camera that was added, its stream, and what it saw. */
const addCamera = Effect.fnUntraced(function* (played: PlayedCamera, at = address) {
  const { neighbours, rtspCameras } = yield* TestGround
  const { answer, seen } = playCamera({ host: "10.9.9.9", user, ...played })
  const { isSecure = false } = played
  yield* neighbours.serve(at, isSecure ? 443 : 80, answer)
  const rtsp = yield* rtspCameras.start(at)
  yield* rtsp.disturb({ login: { user: user.name, password: user.password, way: "MD5" } })
  const url = yield* Effect.fromResult(
    parseStreamUrl(`${isSecure ? "https" : "http"}://${user.name}:${user.password}@${at}/onvif/device_service`)
  )
  const { device } = yield* asTimePasses((yield* ExternalStreams).add({ url, type: "onvif", name: "Gate" }))
  seen.requests.length = 0
  seen.calls.length = 0
  return { camera: device, rtsp, seen, gets: () => seen.requests.filter(({ method }) => method === "GET") }
})

const triedOf = ({ tried }: { readonly tried: ReadonlyArray<{ readonly tier: number; readonly outcome: string }> }) =>
  tried.map(({ outcome, tier }) => `${tier} ${outcome}`)

describe("an idle ONVIF camera with an address for pictures", () => {
  onFakes(
    "is read there, with a digest, at the address where it was reached, and its stream stays idle",
    Effect.gen(function* () {
      const { camera, gets, rtsp, seen } = yield* addCamera({ picture: shows(jpeg) })
      const snapshot = yield* take({ camera, maxAge: 0 })
      assert.deepEqual([snapshot.capture.tier, snapshot.capture.name], [3, "direct"])
      assert.deepEqual(triedOf(snapshot), ["1 the stream does not run", "3 SUCCESS"])
      assert.strictEqual(numberOf(yield* bytesOf(snapshot.filename)), 7)
      assert.deepInclude(snapshot.picture, { width: 64, height: 48 })
      assert.strictEqual(snapshot.ageMs, 0)
      assert.strictEqual(rtsp.playing(), 0)
      assert.isUndefined((yield* Streams).current(camera))
      assert.deepEqual(
        gets().map(({ address, port, target }) => `${address}:${port}${target}`),
        [`${address}:80/picture?of=p1`, `${address}:80/picture?of=p1`]
      )
      assert.strictEqual(seen.refusals, 0)
      assert.notInclude(JSON.stringify(seen.requests), user.password)
      // where it is need not be asked again
      const asked = seen.calls.length
      yield* take({ camera, maxAge: 0 })
      assert.strictEqual(seen.calls.length, asked)
    })
  )

  onFakes(
    "is asked once, whoever wants a picture at once",
    Effect.gen(function* () {
      const { camera, gets } = yield* addCamera({ picture: () => Effect.as(Effect.sleep("300 millis"), shows(jpeg)) })
      const all = Array.from({ length: 20 }, () => take({ camera }))
      const snapshots = yield* Effect.all(all, { concurrency: "unbounded" })
      assert.isTrue(snapshots.every(({ capture }) => capture.name === "direct"))
      assert.lengthOf(gets(), 2)
    })
  )

  onFakes(
    "that is known by a certificate gives its picture to nobody who shows another one",
    Effect.gen(function* () {
      const { certificates } = (yield* TestGround).neighbours
      certificates.set(`${address}:443`, "ab".repeat(32))
      const { camera, gets } = yield* addCamera({ picture: shows(jpeg), isSecure: true })
      assert.strictEqual((yield* take({ camera, maxAge: 0 })).capture.name, "direct")
      const asked = gets().length
      certificates.set(`${address}:443`, "cd".repeat(32))
      const { tried } = yield* take({ camera, maxAge: 0 })
      assert.lengthOf(gets(), asked)
      assert.include(tried[1]?.outcome, "another certificate")
    })
  )

  onFakes(
    "that is known by a certificate is not read where none is looked at",
    Effect.gen(function* () {
      ;(yield* TestGround).neighbours.certificates.set(`${address}:443`, "ab".repeat(32))
      const plain = { GetSnapshotUri: (answer: string) => answer.replace("https://", "http://") }
      const { camera, gets } = yield* addCamera({ picture: shows(jpeg), isSecure: true, instead: plain })
      assert.strictEqual((yield* take({ camera, maxAge: 0 })).capture.name, "activated")
      assert.lengthOf(gets(), 0)
    })
  )

  onFakes(
    "waits for its turn while others that say nothing are asked, and has all its time then",
    Effect.gen(function* () {
      const snapshots = yield* Snapshots
      let asked = 0
      const picture = () =>
        Effect.andThen(
          Effect.sync(() => asked++),
          Effect.never
        )
      const silent = yield* Effect.forEach([1, 2, 3, 4], (number) => addCamera({ picture }, `192.168.1.${number}`))
      const { camera, gets } = yield* addCamera({ picture: () => Effect.as(Effect.sleep("1 second"), shows(jpeg)) })
      for (const other of silent) yield* Effect.forkScoped(snapshots.take({ camera: other.camera, maxAge: 0 }))
      yield* until(
        "the others are asked",
        Effect.sync(() => asked === 4)
      )
      const snapshot = yield* take({ camera, maxAge: 0 })
      assert.deepEqual(triedOf(snapshot), ["1 the stream does not run", "3 SUCCESS"])
      assert.lengthOf(gets(), 2)
    })
  )

  onFakes(
    "is not asked there while its stream runs",
    Effect.gen(function* () {
      const { camera, gets } = yield* addCamera({ picture: shows(jpeg) })
      yield* readyStream(camera)
      assert.strictEqual((yield* take({ camera, maxAge: 5000 })).capture.name, "live")
      assert.lengthOf(gets(), 0)
    })
  )

  const giant = Uint8Array.from(jpeg)
  const frame = Buffer.from(giant).indexOf(Buffer.from([0xff, 0xc0]))
  giant.set([0xff, 0xff, 0xff, 0xff], frame + 5)
  for (const [what, picture, outcome] of [
    ["says nothing for long", () => Effect.never, "no picture in time"],
    ["has another document there", reply("<html>log in</html>"), "is no picture"],
    ["breaks off in the middle", shows(jpeg.subarray(0, -40)), "is no picture"],
    ["has one of 65535 × 65535", shows(giant), "is no picture"],
    ["sends without end", shows(new Uint8Array((8 << 20) + 1)), "the reply is too large"],
    ["sends elsewhere", shows(new Uint8Array(0), 302), "it sends to another address"],
    ["knows nothing of it any more", shows(new Uint8Array(0), 404), "it answered 404 to GET"]
  ] as const) {
    onFakes(
      `that ${what} is woken instead, within the time for all, and not asked there again for a minute`,
      Effect.gen(function* () {
        const { camera, gets } = yield* addCamera({ picture })
        const began = yield* Clock.currentTimeMillis
        const snapshot = yield* take({ camera, maxAge: 0 })
        assert.isBelow((yield* Clock.currentTimeMillis) - began, 4000)
        assert.strictEqual(snapshot.capture.name, "activated")
        const [, second] = snapshot.tried
        assert.strictEqual(second?.tier, 3)
        assert.include(second?.outcome, outcome)
        const asked = gets().length
        const streams = yield* Streams
        const untilIdle = Effect.andThen(
          streams.release(camera),
          until(
            "it is idle",
            Effect.sync(() => streams.current(camera) === undefined)
          )
        )
        yield* untilIdle
        assert.lengthOf((yield* take({ camera, maxAge: 0 })).tried, 2)
        assert.strictEqual(gets().length, asked)
        yield* untilIdle
        yield* TestClock.adjust("61 seconds")
        yield* take({ camera, maxAge: 0 })
        assert.isAbove(gets().length, asked)
      })
    )
  }

  onFakes(
    "whose password is another by now is shown the old one twice at most, by whatever asks, and says so",
    Effect.gen(function* () {
      const { camera, rtsp, seen } = yield* addCamera({ picture: shows(jpeg) })
      const { neighbours } = yield* TestGround
      const changed = playCamera({ host: "10.9.9.9", user: { ...user, password: "another" }, picture: shows(jpeg) })
      yield* neighbours.serve(address, 80, changed.answer)
      yield* rtsp.disturb({ login: { user: user.name, password: "another", way: "MD5" } })
      const rejections = () => seen.refusals + changed.seen.refusals + rtsp.rejections()
      for (let time = 0; time < 4; time++) {
        const began = yield* Clock.currentTimeMillis
        const failure = yield* Effect.flip(take({ camera, maxAge: 0 }))
        assert.isAtMost((yield* Clock.currentTimeMillis) - began, 10_000)
        assert.deepInclude(failure, { _tag: "DependencyFailed", dependency: "camera", reason: "AUTH_FAILED" })
        // also past the time in which it is not asked for pictures, and while it is idle
        yield* TestClock.adjust("40 seconds")
      }
      assert.strictEqual(rejections(), 2)
      assert.notInclude(JSON.stringify(yield* Effect.flip(take({ camera }))), user.password)
    })
  )
})
