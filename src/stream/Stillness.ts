/**
 * What a look counts of the time since the one before, in milliseconds, at most: in a longer turn of the event loop the
 * service had no time to see the frames that came. It sees them before the look after.
 */
const longestTurn = 1000

/**
 * Counts how long nothing has moved, in milliseconds of the time in which it would have been seen; it is looked at again and
 * again, first after `since`. All times are monotonic milliseconds; `movedAt`: the last move, undefined before the first;
 * `heldUp`: for which share of the time since the last look (0 to 1) what would have shown a move waited for something else:
 * that does not count.
 */
export const makeStillness = (
  since: number
): ((movedAt: number | undefined, now: number, heldUp: number) => number) => {
  let lookedAt = since
  let lastMoved: number | undefined
  let still = 0
  return (movedAt, now, heldUp) => {
    const turn = Math.min(now - lookedAt, longestTurn) * (1 - heldUp)
    still = movedAt === lastMoved ? still + turn : Math.min(now - (movedAt ?? now), turn)
    lastMoved = movedAt
    lookedAt = now
    return still
  }
}
