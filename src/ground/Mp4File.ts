import * as Effect from "effect/Effect"
import type { Disk } from "./Disk.ts"
import { mp4Header } from "../media/Mp4Header.ts"

/** The movie header of an MP4 file; `undefined` when it is none, or has none (yet). */
export const readMp4Header = Effect.fnUntraced(function* (disk: Disk["Service"], path: string) {
  const file = yield* disk.open(path)
  const reading = mp4Header()
  let step = reading.next()
  while (step.done !== true) step = reading.next(yield* file.read(step.value.position, step.value.length))
  return step.value
}, Effect.scoped)
