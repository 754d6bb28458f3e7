import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { MediaMtxApi, protocols } from "../../src/process/MediaMtxApi.ts"

const refused = (status: number) => (error: { readonly _tag: string; readonly status?: number }) => {
  assert.strictEqual(error._tag, "MediaMtxRefused")
  assert.strictEqual(error.status, status)
}

/** What the service relies on of MediaMTX's API: for the real one, and so for the fake. */
export const mediaMtxApiBehaviour = (name: string, live: Layer.Layer<MediaMtxApi, unknown>) =>
  layer(live, { excludeTestServices: true, timeout: 120_000 })(name, (it) => {
    it.effect("shows a path that was added, idle and without readers", () =>
      Effect.gen(function* () {
        const api = yield* MediaMtxApi
        yield* api.addPath("camera0", { source: "publisher" })
        const configs = yield* api.listPathConfigs
        assert.strictEqual(configs.find((config) => config.name === "camera0")?.options["source"], "publisher")
        const idle = {
          name: "camera0",
          ready: false,
          readers: 0,
          bytesReceived: 0,
          bytesSent: 0
        }
        assert.deepStrictEqual(yield* api.listPaths, [idle])
        assert.deepStrictEqual(yield* api.getPath("camera0"), Option.some(idle))
        yield* api.deletePath("camera0")
      })
    )

    it.effect("knows no path that was not added, or was deleted", () =>
      Effect.gen(function* () {
        const api = yield* MediaMtxApi
        assert.deepStrictEqual(yield* api.getPath("camera1"), Option.none())
        yield* api.addPath("camera1", { source: "publisher" })
        yield* api.deletePath("camera1")
        yield* api.deletePath("camera1")
        assert.deepStrictEqual(yield* api.getPath("camera1"), Option.none())
        assert.deepStrictEqual(yield* api.listPathConfigs, [])
      })
    )

    it.effect("refuses to add a path twice, and to patch one that is not there", () =>
      Effect.gen(function* () {
        const api = yield* MediaMtxApi
        yield* api.addPath("camera2", { source: "publisher" })
        refused(400)(yield* Effect.flip(api.addPath("camera2", { source: "publisher" })))
        refused(404)(yield* Effect.flip(api.patchPath("nobody", { record: false })))
        yield* api.deletePath("camera2")
      })
    )

    it.effect("patches what is named and leaves the rest; replaces all", () =>
      Effect.gen(function* () {
        const api = yield* MediaMtxApi
        const recordPath = "/tmp/%path_%Y-%m-%d_%H-%M-%S-%f"
        const option = (key: string) =>
          Effect.map(api.listPathConfigs, (configs) => configs.find(({ name }) => name === "camera3")?.options[key])
        yield* api.addPath("camera3", { source: "publisher", recordPath })
        yield* api.patchPath("camera3", { maxReaders: 7 })
        assert.strictEqual(yield* option("maxReaders"), 7)
        assert.strictEqual(yield* option("recordPath"), recordPath)
        yield* api.replacePath("camera3", { source: "publisher", maxReaders: 8 })
        assert.strictEqual(yield* option("maxReaders"), 8)
        assert.notStrictEqual(yield* option("recordPath"), recordPath)
        yield* api.replacePath("camera4", { source: "publisher" })
        assert.isTrue(Option.isSome(yield* api.getPath("camera4")))
        yield* Effect.forEach(["camera3", "camera4"], api.deletePath)
      })
    )

    it.effect("shows a duration of zero as an empty text", () =>
      Effect.gen(function* () {
        const api = yield* MediaMtxApi
        yield* api.addPath("camera3", { source: "publisher", recordDeleteAfter: "0s" })
        const config = (yield* api.listPathConfigs).find(({ name }) => name === "camera3")
        assert.strictEqual(config?.options["recordDeleteAfter"], "")
        yield* api.deletePath("camera3")
      })
    )

    it.effect("is poisoned by a refused patch, and mended by replacing that path", () =>
      Effect.gen(function* () {
        const api = yield* MediaMtxApi
        yield* api.addPath("camera5", { source: "publisher" })
        yield* api.addPath("camera6", { source: "publisher" })
        refused(400)(yield* Effect.flip(api.patchPath("camera5", { sourceOnDemand: true })))
        refused(400)(yield* Effect.flip(api.patchPath("camera6", { maxReaders: 1 })))
        refused(400)(yield* Effect.flip(api.addPath("camera7", { source: "publisher" })))
        yield* api.replacePath("camera5", { source: "publisher" })
        yield* api.patchPath("camera6", { maxReaders: 1 })
        yield* api.addPath("camera7", { source: "publisher" })
        yield* Effect.forEach(["camera5", "camera6", "camera7"], api.deletePath)
      })
    )

    it.effect("is mended by deleting that path, too", () =>
      Effect.gen(function* () {
        const api = yield* MediaMtxApi
        yield* api.addPath("camera8", { source: "publisher" })
        refused(400)(yield* Effect.flip(api.patchPath("camera8", { sourceOnDemand: true })))
        yield* api.deletePath("camera8")
        yield* api.addPath("camera8", { source: "publisher" })
        yield* api.deletePath("camera8")
      })
    )

    it.effect("is not harmed by a refused add", () =>
      Effect.gen(function* () {
        const api = yield* MediaMtxApi
        refused(400)(yield* Effect.flip(api.addPath("camera9", { source: "publisher", sourceOnDemand: true })))
        yield* api.addPath("camera9", { source: "publisher" })
        yield* api.deletePath("camera9")
      })
    )

    it.effect("has no sessions while nobody reads, and kicks none", () =>
      Effect.gen(function* () {
        const api = yield* MediaMtxApi
        for (const protocol of protocols) {
          assert.deepStrictEqual(yield* api.listSessions(protocol), [])
          assert.isFalse(yield* api.kickSession(protocol, "e1ba53a1-3aa0-4dd1-8b92-5a7dd2a0ab4e"))
        }
      })
    )
  })
