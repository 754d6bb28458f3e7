/** Cameras lock accounts after three to five wrong passwords. */
const maxRefusals = 2
/** For half an hour, often. Milliseconds, and less than those wait by themselves who show the password. */
const pause = 240_000

/**
 * One user's password at one camera, whoever shows it: probes, streams, pictures, and what asks for these. Refused twice, it
 * is shown no more for 4 min, but at ports that took it when it was shown there last: some cameras have other users for
 * ONVIF than for RTSP.
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
  /** those that have not taken it since, by port */
  const refusals = new Map<number, number>()
  const takers = new Set<number>()
  let last = Number.NEGATIVE_INFINITY

  return {
    mayShow: (port) => {
      if (now() - last >= pause) refusals.clear()
      const all = Array.from(refusals.values()).reduce((sum, some) => sum + some, 0)
      return takers.has(port) || all < maxRefusals
    },
    refused: (port) => {
      last = now()
      takers.delete(port)
      refusals.set(port, (refusals.get(port) ?? 0) + 1)
    },
    accepted: (port) => {
      refusals.delete(port)
      takers.add(port)
    }
  }
}
