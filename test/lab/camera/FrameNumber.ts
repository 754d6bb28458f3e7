import * as Effect from "effect/Effect"
import { grayOf } from "../../support/GrayPicture.ts"
import { cellPixels, numberOf, smallestWidth, squares } from "./Picture.ts"

const size = { width: smallestWidth, height: (smallestWidth * 3) / 4 }

/** Mean luminance of the middle of a square; half of it lies in the row for pictures of 4:3 and of 16:9. */
const brightnessOf = (gray: Buffer, square: number): number => {
  let sum = 0
  for (let y = 6; y < 10; y++) {
    for (let x = 6; x < 10; x++) sum += gray[y * size.width + square * cellPixels + x] ?? 0
  }
  return sum / 16
}

/** The number of a lab camera's frame, from a picture of it (JPEG, PNG, a video's first frame) in any size; dies when it has none. */
export const frameNumberOf = (file: string): Effect.Effect<number> =>
  Effect.flatMap(grayOf(file, size), (gray) => {
    const white = Array.from({ length: squares }, (_, square) => brightnessOf(gray, square) > 127)
    const number = numberOf(white)
    return number === undefined
      ? Effect.die(new Error(`${file} shows no frame of a lab camera`))
      : Effect.succeed(number)
  })

/** Whether a picture is black all over. */
export const isDark = (file: string): Effect.Effect<boolean> =>
  Effect.map(grayOf(file, size), (gray) => gray.every((luminance) => luminance < 40))
