import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"

/** Marsaglia's xorshift32 ("Xorshift RNGs", 2003): each run has the same numbers. */
const numbers = (seed: number) => {
  let last = seed
  return (): number => {
    last ^= last << 13
    last ^= last >>> 17
    last ^= last << 5
    return last >>> 0
  }
}

const maxUint32 = 2 ** 32

/** Chance that repeats itself: a test that runs again meets the same secrets, names and pauses. */
export const layer = Layer.mergeAll(
  Layer.sync(SecureRandom.SecureRandom, () => {
    const next = numbers(1)
    return SecureRandom.make((size) => Uint8Array.from({ length: size }, () => next() >>> 24))
  }),
  Layer.sync(Random.Random, () => {
    const next = numbers(2)
    return { nextDoubleUnsafe: () => next() / maxUint32, nextIntUnsafe: next }
  })
)
