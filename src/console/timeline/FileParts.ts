import * as Effect from "effect/Effect"

/** One request: what a network that is slow brings in a second or two. */
const chunkBytes = 1 << 20
const chunkSeconds = 4
/** A file that is still written is asked for what is new. */
export const growTime = "1 second"

export interface Part {
  readonly offset: number
  readonly length: number
  readonly start: number
  readonly duration: number
  readonly keyframe: number
}

/** Some parts, of as many as the file has now. */
interface Page {
  readonly parts: ReadonlyArray<Part>
  readonly total: number
}

/** Bytes to fetch at once, and the part after them. */
export interface Chunk {
  readonly first: number
  readonly last: number
  readonly next: number
}

interface Source<E> {
  /** those from this one on, as many as are told at once */
  readonly parts: (offset: number) => Effect.Effect<Page, E>
  /** whether the file still grows */
  readonly isWritten: Effect.Effect<boolean, E>
}

/** The parts of one file, which are asked for as they are needed, and as they are written. */
export class FileParts<E> {
  private readonly known: Array<Part>
  private total: number
  private isWritten: boolean
  private readonly source: Source<E>

  constructor({ parts, total }: Page, isWritten: boolean, source: Source<E>) {
    this.known = [...parts]
    this.total = total
    this.isWritten = isWritten
    this.source = source
  }

  /** The part with which a player begins to come to this second of the file. */
  at(second: number): Effect.Effect<number, E> {
    return Effect.gen({ self: this }, function* () {
      while (this.known.length < this.total && (this.known.at(-1)?.keyframe ?? 0) <= second) {
        yield* this.learn(this.known.length)
      }
      return partBefore(this.known, second)
    })
  }

  /** The bytes from this part on, when they are there; undefined: the file has no more. */
  chunk(next: number): Effect.Effect<Chunk | undefined, E> {
    return Effect.gen({ self: this }, function* () {
      while (true) {
        const found = chunkFrom(this.known, next, this.whole)
        if (found !== undefined) return found
        if (this.known.length < this.total) {
          yield* this.learn(this.known.length)
          continue
        }
        if (!this.isWritten) return undefined
        yield* Effect.sleep(growTime)
        // in this order: to a file that was closed before, nothing comes
        this.isWritten = yield* this.source.isWritten
        yield* this.learn(Math.max(0, this.known.length - 1))
      }
    })
  }

  /** So many grow no more: what is written without a keyframe is put to the last one. */
  private get whole(): number {
    return this.isWritten && this.known.length === this.total ? this.known.length - 1 : this.known.length
  }

  private learn(offset: number): Effect.Effect<void, E> {
    return Effect.map(this.source.parts(offset), ({ parts, total }) => {
      this.known.splice(offset, this.known.length, ...parts)
      this.total = total
    })
  }
}

/** The last part whose first keyframe is not after this second of the file. */
export const partBefore = (parts: ReadonlyArray<Part>, at: number): number => {
  let found = 0
  for (const [index, { keyframe }] of parts.entries()) {
    if (keyframe <= at) found = index
    else break
  }
  return found
}

/**
 * The bytes of some of the first `count` parts from `next` on, which lie one behind the other: a few seconds, for it is
 * waited for the first.
 */
export const chunkFrom = (parts: ReadonlyArray<Part>, next: number, count: number): Chunk | undefined => {
  const begin = parts[next]
  if (begin === undefined || next >= count) return undefined
  let end = begin.offset + begin.length
  let index = next + 1
  while (index < count) {
    const part = parts[index]
    if (part === undefined || part.offset !== end || part.start - begin.start > chunkSeconds) break
    if (end + part.length - begin.offset > chunkBytes) break
    end += part.length
    index++
  }
  return { first: begin.offset, last: end - 1, next: index }
}
