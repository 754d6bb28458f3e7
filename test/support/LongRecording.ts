import * as Effect from "effect/Effect"
import { PublicHttp } from "../../src/http/PublicHttp.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { indexed } from "../storage/Workbench.ts"
import { dataFolder } from "./App.ts"

export const filename = "long.mp4"
/** More than is on its way to who does not read. */
const bytes = 1 << 20

/** A recording that takes its time to download; by its first bytes it is an MP4. */
export const longRecording = Effect.gen(function* () {
  const { disk } = yield* TestGround
  const content = new Uint8Array(bytes)
  content.set(new TextEncoder().encode("ftyp"), 4)
  disk.outside.write(`${dataFolder}/recordings/${filename}`, content)
  yield* (yield* FileIndex).put(indexed({ filename, bytes }))
})

/** Begins a download, and reads nothing of it until `body` is run. */
export const beginDownload = Effect.fnUntraced(function* (credential: string, address = "192.0.2.1") {
  const { visitors } = yield* TestGround
  const { port } = (yield* PublicHttp).address
  const headers = { authorization: `Bearer ${credential}` }
  return yield* visitors.ask(port, { target: `/files/recordings/${filename}`, headers, address })
})

/** The time that it is of. */
export const period = { from: "2026-01-02T03:04:00Z", to: "2026-01-02T03:05:00Z" }
export const exportTarget = `/export/camera0?from=${period.from}&to=${period.to}`

/** Begins an export of it, and reads nothing of it. */
export const beginExport = Effect.fnUntraced(function* (
  headers: Readonly<Record<string, string>>,
  target = exportTarget,
  address = "192.0.2.1"
) {
  const { visitors } = yield* TestGround
  const { port } = (yield* PublicHttp).address
  return yield* visitors.ask(port, { target, headers, address })
})
