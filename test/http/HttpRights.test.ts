import { assert, describe } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { ApiKeyCreated, ViewingKeyCreated } from "../../schema/Auth.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { indexed } from "../storage/Workbench.ts"
import { dataFolder, onFakes } from "../support/App.ts"
import { until } from "../support/Ground.ts"
import { exportTarget, filename, longRecording } from "../support/LongRecording.ts"
import { connect, resultOf, token } from "../support/RpcVisitor.ts"
import { bearer, come } from "../support/StreamVisitor.ts"
import { whepOffer } from "../support/WhepOffer.ts"

const picture = "picture.jpg"

/** All that is of camera0, and the status that it comes with. */
const routes = {
  recording: { target: `/files/recordings/${filename}`, method: "GET", good: 200 },
  snapshot: { target: `/files/snapshots/${picture}`, method: "GET", good: 200 },
  export: { target: exportTarget, method: "GET", good: 200 },
  thumbnail: { target: "/thumbnails/camera0/1767323045.jpg", method: "GET", good: 200 },
  hls: { target: "/hls/camera0/index.m3u8", method: "GET", good: 200 },
  whep: { target: "/whep/camera0", method: "POST", good: 201 }
} as const
const streams: ReadonlyArray<string> = ["hls", "whep"] satisfies ReadonlyArray<keyof typeof routes>

describe("rights over HTTP, for all that there is of a camera", () => {
  onFakes(
    "are the same for every credential: who may see it has it, who may not finds nothing, and what is over opens nothing",
    Effect.gen(function* () {
      yield* longRecording
      const { disk } = yield* TestGround
      disk.outside.write(`${dataFolder}/snapshots/${picture}`, new Uint8Array(10))
      yield* (yield* FileIndex).put(indexed({ kind: "snapshot", filename: picture, bytes: 10 }))
      const lasting = { timeToLive: Duration.hours(1) }
      const call = yield* connect(yield* token(lasting))
      yield* until(
        "two cameras",
        Effect.map(call("get_camera_list"), ({ result }) => (result as { total: number }).total === 2)
      )
      const keyFor = (params: object) =>
        Effect.map(call("create_api_key", { role: "viewer", ...params }), resultOf<typeof ApiKeyCreated.Type>)
      const viewingKeyOf = (device: string) =>
        Effect.map(call("create_viewing_key", { device }), (reply) => {
          return resultOf<typeof ViewingKeyCreated.Type>(reply).viewing_key
        })
      const revoked = yield* keyFor({})
      resultOf(yield* call("revoke_api_key", { key_id: revoked.key_id }))
      const expired = yield* token({ timeToLive: Duration.zero })

      type Verdict = "good" | 401 | 404
      const rows: ReadonlyArray<
        readonly [who: string, credential: string | undefined, files: Verdict, streams: Verdict]
      > = [
        ["nobody", undefined, 401, 401],
        ["who guesses", "wrong", 401, 401],
        ["viewer", yield* token({ ...lasting, role: "viewer" }), "good", "good"],
        ["operator", yield* token({ ...lasting, role: "operator" }), "good", "good"],
        ["admin", yield* token(lasting), "good", "good"],
        ["key", (yield* keyFor({})).api_key, "good", "good"],
        ["glob", yield* token({ ...lasting, cameras: ["camera?"] }), "good", "good"],
        ["viewing key", yield* viewingKeyOf("camera0"), 401, "good"],
        ["expired", expired, 401, 401],
        ["revoked", revoked.api_key, 401, 401],
        ["wrong camera", yield* token({ ...lasting, cameras: ["camera1*"] }), 404, 404],
        ["viewing key of the wrong camera", yield* viewingKeyOf("camera1"), 401, 404]
      ]
      for (const [who, credential, files, watching] of rows) {
        for (const [name, { good, method, target }] of Object.entries(routes)) {
          const verdict = streams.includes(name) ? watching : files
          const shown = credential === undefined ? {} : bearer(credential)
          const headers = name === "whep" ? { ...shown, "content-type": "application/sdp" } : shown
          const { status } = yield* come({ method, target, headers, body: name === "whep" ? whepOffer : "" })
          assert.strictEqual(status, verdict === "good" ? good : verdict, `${who}: ${name}`)
        }
      }
    }),
    { cameras: { synthetic: 2, v4l2: false } }
  )
})
