/** A token bucket that holds a second's worth, as one number (the generic cell rate algorithm, ITU-T I.371, annex A). */
export class TokenBucket {
  private fullAt = 0

  /** takes a token; where there is none, the milliseconds until there is */
  take(now: number, perSecond: number): number {
    const fullAt = Math.max(this.fullAt, now) + 1000 / perSecond
    const wait = fullAt - now - 1000
    // less than a microsecond is the sum's own error
    if (wait > 0.001) return wait
    this.fullAt = fullAt
    return 0
  }

  /** when it is full again, and might as well be a new one */
  restedAt(): number {
    return this.fullAt
  }
}
