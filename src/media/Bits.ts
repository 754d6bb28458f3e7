/** Gives bytes one by one, without those that were stuffed between them; undefined at their end. */
export type NextByte = () => number | undefined

/** Reads bits, most significant first; zeros from the end on. Only then `isOver` is true, so it is asked now and then. */
export class Bits {
  readonly #next: NextByte
  /** its lowest `#ahead` bits are yet to be read */
  #window = 0
  #ahead = 0
  /** how many bits behind the end have come into the window */
  #missing = 0

  constructor(next: NextByte) {
    this.#next = next
  }

  /** Whether more bits have been read than there are. */
  get isOver(): boolean {
    return this.#missing > this.#ahead
  }

  /** At most 16 bits, without passing over them. */
  peek(count: number): number {
    while (this.#ahead < count) {
      const byte = this.#next()
      if (byte === undefined) this.#missing += 8
      this.#window = (this.#window << 8) | (byte ?? 0)
      this.#ahead += 8
    }
    return (this.#window >>> (this.#ahead - count)) & ((1 << count) - 1)
  }

  /** Passes over bits that `peek` has given. */
  skip(count: number): void {
    this.#ahead -= count
  }

  /** At most 32 bits. */
  take(count: number): number {
    if (count > 16) return this.take(count - 16) * 2 ** 16 + this.take(16)
    const value = this.peek(count)
    this.skip(count)
    return value
  }

  /** An Exp-Golomb code, ue(v) of ITU-T H.264, 9.1; a RangeError when it has more than 32 bits, as none has behind the end. */
  unsigned(): number {
    let zeros = 0
    while (this.take(1) === 0) {
      if (++zeros > 31) throw new RangeError("an Exp-Golomb code is too long")
    }
    return 2 ** zeros - 1 + this.take(zeros)
  }

  /** The signed one, se(v) of 9.1.1. */
  signed(): number {
    const code = this.unsigned()
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2
  }
}

/** What is made of bits that may be broken, which is told by a `RangeError`: undefined then. */
export const unlessBroken = <A>(parse: () => A): A | undefined => {
  try {
    return parse()
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}
