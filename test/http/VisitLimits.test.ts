import { assert, describe } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { settle } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import type { Answer } from "../../testing/Visitors.ts"
import { connectAs, tokenFor } from "../rpc/Harness.ts"
import { disturb, disturbWork, onFakes, plugIn } from "../support/App.ts"
import { running, until } from "../support/Ground.ts"
import { connect, token } from "../support/RpcVisitor.ts"
import { bearer, untilHeld, visit } from "../support/StreamVisitor.ts"
import { beginDownload, beginExport, exportTarget, filename, longRecording, period } from "../support/LongRecording.ts"
import { whepOffer } from "../support/WhepOffer.ts"

const statusOf = (credential: string, address?: string) =>
  Effect.map(beginDownload(credential, address), ({ status }) => status)

describe("downloads at once", () => {
  onFakes(
    "are so many for one user, whose further ones are told when to come again, and counted",
    Effect.gen(function* () {
      yield* longRecording
      const [viewer, operator] = [yield* tokenFor("viewer"), yield* tokenFor("operator")]
      const first = yield* Effect.acquireRelease(Scope.make(), () => Effect.void)
      yield* Scope.provide(beginDownload(viewer), first)
      yield* beginDownload(viewer, "192.0.2.2")
      const refused = yield* beginDownload(viewer)
      assert.strictEqual(refused.status, 429)
      assert.strictEqual(refused.headers["retry-after"], "1")
      assert.include(yield* Stream.mkString(Stream.decodeText(refused.body)), "Too many downloads")
      assert.strictEqual(yield* statusOf(operator), 200)
      yield* Scope.close(first, yield* Effect.exit(Effect.void))
      yield* until(
        "one has ended",
        Effect.map(Effect.scoped(statusOf(viewer)), (status) => status === 200)
      )
      const { visitors } = yield* TestGround
      const { body } = yield* visitors.ask(8003, { target: "/metrics" })
      const metrics = yield* Stream.mkString(Stream.decodeText(body))
      assert.match(metrics, /camera_limit_refusals_total\{limit="server.max_downloads_per_user"\} [1-9]/)
    }),
    { server: { max_downloads_per_user: 2 } }
  )

  onFakes(
    "are so many for one address, whoever comes from there, and without end for this machine",
    Effect.gen(function* () {
      yield* longRecording
      const [viewer, operator] = [yield* tokenFor("viewer"), yield* tokenFor("operator")]
      assert.strictEqual(yield* statusOf(viewer, "2001:db8::1"), 200)
      assert.strictEqual(yield* statusOf(operator, "2001:db8::2"), 429)
      assert.strictEqual(yield* statusOf(operator, "192.0.2.1"), 200)
      for (let n = 0; n < 3; n++) assert.strictEqual(yield* statusOf(operator, "127.0.0.1"), 200)
    }),
    { server: { max_downloads_per_address: 1 } }
  )

  onFakes(
    "are counted together, of whatever kind they are",
    Effect.gen(function* () {
      yield* longRecording
      const viewer = yield* tokenFor("viewer")
      assert.strictEqual(yield* statusOf(viewer), 200)
      const time = "from=2026-01-02T03:04:00Z&to=2026-01-02T03:05:00Z"
      const refused = yield* visit({ target: `/export/camera0?${time}`, headers: bearer(viewer) })
      assert.strictEqual(refused.status, 429)
      assert.strictEqual(refused.headers["retry-after"], "1")
      const thumbnail = yield* visit({ target: "/thumbnails/camera0/1767323040.jpg", headers: bearer(viewer) })
      assert.strictEqual(thumbnail.status, 429)
    }),
    { server: { max_downloads_per_user: 1 } }
  )

  onFakes(
    "hold up nobody who deletes the file: they break off",
    Effect.gen(function* () {
      yield* longRecording
      const { body, status } = yield* beginDownload(yield* tokenFor("viewer"))
      assert.strictEqual(status, 200)
      const client = yield* connectAs("operator")
      const reply = yield* client.call({ jsonrpc: "2.0", id: 1, method: "delete_recording", params: { filename } })
      assert.deepInclude(reply, { result: { filename, deleted: true, message: "the recording is deleted" } })
      yield* settle
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(body)))._tag, "CutOff")
      assert.strictEqual(yield* statusOf(yield* tokenFor("viewer")), 404)
    })
  )
})

/** Reads a reply with a pause after each piece. */
const readSlowly = (body: Answer["body"], pause: Duration.Input) =>
  Effect.forkChild(Effect.exit(Stream.runForEach(body, () => Effect.sleep(pause))), { startImmediately: true })

/** Lets seconds pass, one after the other. */
const seconds = (count: number) => Effect.repeat(Effect.andThen(settle, TestClock.adjust("1 second")), { times: count })

describe("exports at once", () => {
  onFakes(
    "are so many for one user, by header and by signed URLs together, and leave others room",
    Effect.gen(function* () {
      yield* longRecording
      yield* disturbWork({ export: "hangs" })
      const lasting = { role: "viewer", timeToLive: Duration.hours(1) } as const
      const call = yield* connect(yield* token({ ...lasting, userId: "ann" }))
      const { result } = yield* call("export_recording", { device: "camera0", ...period })
      const { pathname, search } = new URL((result as { readonly download_url: string }).download_url)
      const ann = bearer(yield* token({ ...lasting, userId: "ann" }))
      assert.strictEqual((yield* beginExport(ann)).status, 200)
      assert.strictEqual((yield* beginExport({}, pathname + search)).status, 200)
      for (const said of [
        yield* visit({ target: exportTarget, headers: ann }),
        yield* visit({ target: pathname + search, address: "192.0.2.9" })
      ]) {
        assert.strictEqual(said.status, 429)
        assert.strictEqual(said.error?.data["reason"], "Too many exports at once")
      }
      const bob = bearer(yield* token({ ...lasting, userId: "bob" }))
      assert.strictEqual((yield* beginExport(bob)).status, 200)
    })
  )

  onFakes(
    "end where nobody reads them, and their programs with them",
    Effect.gen(function* () {
      yield* longRecording
      yield* disturbWork({ export: "pours" })
      const headers = bearer(yield* token({ role: "viewer", timeToLive: Duration.hours(1) }))
      const { body } = yield* beginExport(headers)
      assert.lengthOf(yield* running("export"), 1)
      yield* seconds(35)
      assert.lengthOf(yield* running("export"), 0)
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(body)))._tag, "CutOff")
    })
  )
})

describe("a reader", () => {
  onFakes(
    "that takes less than it has to for long is let go, and one that takes a little more is not",
    Effect.gen(function* () {
      yield* longRecording
      const viewer = yield* token({ role: "viewer", timeToLive: Duration.hours(1) })
      const slow = yield* readSlowly((yield* beginDownload(viewer)).body, "40 seconds")
      const steady = yield* readSlowly((yield* beginDownload(viewer)).body, "12 seconds")
      yield* seconds(240)
      assert.isTrue(Exit.isFailure(yield* Fiber.join(slow)))
      assert.isTrue(Exit.isSuccess(yield* Fiber.join(steady)))
    })
  )
})

describe("requests for streams at once", () => {
  onFakes(
    "are so many for one address, whatever players' secrets it invents",
    Effect.gen(function* () {
      yield* plugIn()
      yield* disturb({ neverReady: true })
      const shown = yield* token({ role: "viewer", timeToLive: Duration.hours(1) })
      const { visitors } = yield* TestGround
      const ask = (of: string, from: string, headers: Record<string, string> = {}) =>
        visitors.ask(8002, { target: of, headers, address: from })
      yield* Effect.forkScoped(ask("/hls/camera0/index.m3u8", "2001:db8::1", bearer(shown)))
      yield* untilHeld(1)
      const invented = "/hls/camera0/main_stream.m3u8?session=00000000-0000-4000-8000-000000000000"
      assert.strictEqual((yield* ask(invented, "2001:db8::2")).status, 429)
      assert.notStrictEqual((yield* ask(invented, "2001:db8:0:1::2")).status, 429)
    }),
    { server: { max_stream_requests_per_address: 1 } }
  )

  for (const target of ["/whep/camera0", "/hls/camera0/index.m3u8"]) {
    onFakes(
      `are so many for one user, and leave others room: ${target}`,
      Effect.gen(function* () {
        yield* plugIn()
        yield* disturb({ neverReady: true })
        const lasting = { role: "viewer", timeToLive: Duration.hours(1) } as const
        const ask = (userId: string) =>
          Effect.map(token({ ...lasting, userId }), (shown) =>
            target.startsWith("/whep")
              ? {
                  method: "POST",
                  target,
                  headers: { ...bearer(shown), "content-type": "application/sdp" },
                  body: whepOffer
                }
              : { target, headers: bearer(shown) }
          )
        yield* Effect.forkScoped(visit(yield* ask("ann")))
        yield* untilHeld(1)
        const refused = yield* visit(yield* ask("ann"))
        assert.strictEqual(refused.status, 429)
        assert.strictEqual(refused.error?.data["reason"], "Too many requests for streams at once")
        yield* Effect.forkScoped(visit(yield* ask("bob")))
        yield* untilHeld(2)
      }),
      { server: { max_stream_requests_per_user: 1 } }
    )
  }
})
