/** Sums of fractions are a little off. */
const slight = 1e-6

/**
 * A token bucket that holds a second's worth. It looks at the clock only when it is empty, for that costs more than all
 * else here: after a rest it gives up to two seconds' worth at once.
 */
export class TokenBucket {
  private tokens = 0
  private filledAt = -Infinity

  /** takes a token; where there is none, the whole milliseconds until there is */
  take(now: () => number, perSecond: number): number {
    // fewer may be allowed than when it was filled
    if (this.tokens > perSecond) this.tokens = perSecond
    if (this.tokens < 1) {
      const at = now()
      const tokens = this.holds(at, perSecond)
      if (tokens < 1 - slight) return Math.ceil(((1 - slight - tokens) * 1000) / perSecond)
      this.tokens = Math.max(1, tokens)
      this.filledAt = at
    }
    this.tokens--
    return 0
  }

  /** whether it might as well be a new one */
  isFull(now: number, perSecond: number): boolean {
    return this.holds(now, perSecond) >= perSecond
  }

  private holds(now: number, perSecond: number): number {
    return Math.min(perSecond, this.tokens + ((now - this.filledAt) * perSecond) / 1000)
  }
}
