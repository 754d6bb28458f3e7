import * as Effect from "effect/Effect"
import { clockBits, clockSquare } from "../../src/device/TestPattern.ts"
import { grayOf } from "./GrayPicture.ts"

/**
 * When the synthetic camera made this picture, in epoch milliseconds: read from the row of squares at its bottom left,
 * which hold the lower bits; `near` says which of the moments that share them is meant.
 */
export const clockOf = (file: string, width: number, near: number) =>
  Effect.map(grayOf(file), (gray) => {
    const middle = gray.length - (clockSquare / 2) * width
    let bits = 0
    for (let bit = 0; bit < clockBits; bit++) {
      const at = middle + bit * clockSquare + clockSquare / 2
      if ((gray[at] ?? 0) > 127) bits += 2 ** bit
    }
    const span = 2 ** clockBits
    const guess = Math.floor(near / span) * span + bits
    return [guess - span, guess, guess + span].reduce((best, one) =>
      Math.abs(one - near) < Math.abs(best - near) ? one : best
    )
  })
