import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"

/** Marsaglia's xorshift32 ("Xorshift RNGs", 2003): the same whole numbers below 2^32 for the same seed, which is not 0. */
export const numbers = (seed: number) => {
  let last = seed
  return (): number => {
    last ^= last << 13
    last ^= last >>> 17
    last ^= last << 5
    return last >>> 0
  }
}

const maxUint32 = 2 ** 32

/** The same as fractions, 0 to less than 1. */
export const fractions = (seed: number) => {
  const next = numbers(seed)
  // the first ones of seeds that are close to one another are close as well
  for (let i = 0; i < 8; i++) next()
  return (): number => next() / maxUint32
}

/** Chance that repeats itself for a seed. */
export const layerOf = (seed: number) =>
  Layer.mergeAll(
    Layer.sync(SecureRandom.SecureRandom, () => {
      const next = numbers(seed)
      return SecureRandom.make((size) => Uint8Array.from({ length: size }, () => next() >>> 24))
    }),
    Layer.sync(Random.Random, () => {
      const next = numbers(seed + 1)
      return { nextDoubleUnsafe: () => next() / maxUint32, nextIntUnsafe: next }
    })
  )

/** A test that runs again meets the same secrets, names and pauses. */
export const layer = layerOf(1)
