import { mp4Parts } from "../../src/media/Mp4Parts.ts"

/** What can be played of a fragmented MP4 that ends anywhere. */
export const playableOf = (file: Buffer): { readonly seconds: number; readonly from: number; readonly to: number } => {
  const reading = mp4Parts()
  let step = reading.next()
  while (step.done !== true) {
    const { length, position } = step.value
    step = reading.next(file.subarray(position, position + length))
  }
  const [first, last] = [step.value?.parts[0], step.value?.parts.at(-1)]
  if (first === undefined || last === undefined) return { seconds: 0, from: 0, to: 0 }
  return { seconds: last.start + last.duration - first.start, from: first.offset, to: last.offset + last.length }
}
