/**
 * What a second counts in which a program waits for a CPU. The machine has too much to do then, and to start the program
 * again is more; but it is not waited for without end.
 */
const waiting = 1 / 5

/**
 * Tells how much of a stillness is the machine's: the share of the time since the look before (0 to 0.8) that does not
 * count, for a program waited for a CPU. `wait`: milliseconds for which its threads have, so far; asked only at looks at which
 * nothing has moved, for it takes 0.1 ms. All times are monotonic milliseconds.
 * On two cores at a load of 15 an FFmpeg that encodes 1080p waits all the time, one of 480p at 15 pictures a second a tenth
 * of it (measured).
 */
export const makeLateness = (wait: () => number): ((movedAt: number | undefined, now: number) => number) => {
  let lastMoved: number | undefined
  let before: { readonly at: number; readonly wait: number } | undefined
  return (movedAt, now) => {
    const last = movedAt === lastMoved ? before : undefined
    before = movedAt === lastMoved ? { at: now, wait: wait() } : undefined
    lastMoved = movedAt
    if (last === undefined || before === undefined || now <= last.at) return 0
    const share = (before.wait - last.wait) / (now - last.at)
    return Math.min(Math.max(share, 0), 1) * (1 - waiting)
  }
}
