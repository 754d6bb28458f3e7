/** A keyframe of a 4K camera has about 1 MB. */
const largestPicture = 8 << 20
/** What the buffer begins with, so that it need not grow a dozen times. */
const firstBytes = 16 * 1024

const none: Buffer = Buffer.alloc(0)

/**
 * Puts a picture together of pieces, which it copies into one buffer: each kept by itself would cost hundreds of bytes, and
 * hold all that came with it. The buffer has 8 MB at most, or less where it is for something else, and serves the next too.
 */
export class PictureBytes {
  readonly #most: number
  #bytes = none
  /** what there would be of the picture; past the most there is nothing */
  #length = 0

  constructor(most = largestPicture) {
    this.#most = most
  }

  get isEmpty(): boolean {
    return this.#length === 0
  }

  add(piece: Uint8Array): void {
    const at = this.#length
    this.#length += piece.length
    if (this.#length > this.#most) return
    if (this.#length > this.#bytes.length) {
      const size = Math.min(this.#most, Math.max(this.#length, this.#bytes.length * 2, firstBytes))
      const larger = Buffer.allocUnsafeSlow(size)
      this.#bytes.copy(larger, 0, 0, at)
      this.#bytes = larger
    }
    this.#bytes.set(piece, at)
  }

  /** The picture, as long as no other is begun, which is the next; undefined: there is nothing, or too much. */
  take(): Buffer | undefined {
    const length = this.#length
    this.#length = 0
    return length > 0 && length <= this.#most ? this.#bytes.subarray(0, length) : undefined
  }
}
