/** Cameras lock accounts after three to five wrong passwords. */
const maxRefusals = 2
/** For half an hour, often. Milliseconds, and less than those wait by themselves who show the password. */
const pause = 240_000

/**
 * One user's password at one camera, whoever shows it: probes, streams, pictures, and what asks for these. Refused twice, it
 * is shown no more for 4 min, but at ports that have taken it: some cameras have other users for ONVIF than for RTSP.
 */
export interface Account {
  readonly mayShow: (port: number) => boolean
  /** it was shown there, and not taken */
  readonly refused: (port: number) => void
  readonly accepted: (port: number) => void
}

/** What is told who would show it. */
export const shownEnough = "it has refused this user and password, and is asked with them again in some minutes"

/** `now`: monotonic milliseconds. */
export const makeAccount = (now: () => number): Account => {
  /** in a row, by port */
  let refusals = new Map<number, number>()
  const takers = new Set<number>()
  let last = Number.NEGATIVE_INFINITY

  const count = (port: number): number => {
    if (takers.has(port)) return refusals.get(port) ?? 0
    return Array.from(refusals.values()).reduce((sum, some) => sum + some, 0)
  }

  return {
    mayShow: (port) => {
      if (now() - last >= pause) refusals = new Map()
      return count(port) < maxRefusals
    },
    refused: (port) => {
      last = now()
      refusals.set(port, (refusals.get(port) ?? 0) + 1)
    },
    accepted: (port) => {
      refusals.delete(port)
      takers.add(port)
    }
  }
}
