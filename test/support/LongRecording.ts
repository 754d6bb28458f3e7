import * as Effect from "effect/Effect"
import { PublicHttp } from "../../src/http/PublicHttp.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { indexed } from "../storage/Workbench.ts"
import { dataFolder } from "./App.ts"

export const filename = "long.mp4"
/** More than is on its way to who does not read. */
const bytes = 1 << 20

/** A recording that takes its time to download. */
export const longRecording = Effect.gen(function* () {
  const { disk } = yield* TestGround
  disk.outside.write(`${dataFolder}/recordings/${filename}`, new Uint8Array(bytes))
  yield* (yield* FileIndex).put(indexed({ filename, bytes }))
})

/** Begins a download, and reads nothing of it until `body` is run. */
export const beginDownload = Effect.fnUntraced(function* (credential: string, address = "192.0.2.1") {
  const { visitors } = yield* TestGround
  const { port } = (yield* PublicHttp).address
  const headers = { authorization: `Bearer ${credential}` }
  return yield* visitors.ask(port, { target: `/files/recordings/${filename}`, headers, address })
})
