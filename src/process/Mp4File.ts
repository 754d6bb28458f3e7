import { open } from "node:fs/promises"
import { type Mp4Header, mp4Header } from "../media/Mp4Header.ts"

/** The movie header of an MP4 file; `undefined` when it is none, or has none (yet). */
export const readMp4Header = async (path: string): Promise<Mp4Header | undefined> => {
  await using file = await open(path, "r")
  const reading = mp4Header()
  let step = reading.next()
  while (step.done !== true) {
    const { length, position } = step.value
    const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, position)
    step = reading.next(buffer.subarray(0, bytesRead))
  }
  return step.value
}
