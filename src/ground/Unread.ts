import * as Effect from "effect/Effect"
import type { KoffiFunc } from "koffi"

/** A `struct pollfd` (poll(2)): the descriptor, what is waited for, and what has come of it; of machines that are little-endian. */
const pollfd = { bytes: 8, revents: 6 }

const loadPoll = async () => {
  const { load } = await import("koffi")
  return load(null).func("int poll(void *fds, unsigned long nfds, int timeout)") as KoffiFunc<
    (fds: Buffer, nfds: number, timeout: number) => number
  >
}

/**
 * Returns when nobody reads any more what is written to this pipe or socket, also while nothing is written to it. It waits in
 * a thread, which cannot be taken back: for commands, which end with it.
 */
export const unread = (fd: number): Effect.Effect<void> =>
  Effect.tryPromise(loadPoll).pipe(
    Effect.flatMap((poll) => {
      // waits for nothing: that there is no reader is told unasked (POLLERR, of a socket POLLHUP)
      const waited = Buffer.alloc(pollfd.bytes)
      waited.writeInt32LE(fd)
      const once = Effect.callback<void>((resume) => {
        poll.async(waited, 1, -1, () => resume(Effect.void))
      })
      // a signal ends it, too
      return Effect.repeat(once, { until: () => waited.readUInt16LE(pollfd.revents) !== 0 })
    }),
    Effect.asVoid,
    // where the kernel cannot be asked the next write tells
    Effect.catch(() => Effect.never)
  )
