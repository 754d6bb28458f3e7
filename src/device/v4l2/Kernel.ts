import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { codeOf } from "../../ground/DiskError.ts"
import { type Ioctl, type Ioctls, KernelCalls } from "../../ground/KernelCalls.ts"
import { KernelFiles } from "../../ground/KernelFiles.ts"
import { makeDeadlines } from "./Deadlines.ts"

/** The kernel refused, or did not answer. */
export class KernelError extends Schema.TaggedError<KernelError>()("KernelError", {
  /** the errno's name (`EACCES`), `TIMEOUT`, `LATE`, or `NO_FFI` where ioctl cannot be called */
  code: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}

/** A node that is open. */
export interface OpenNode {
  /** for what the driver answers from memory; synchronous, 0 or the errno */
  readonly ioctl: Ioctl
  /**
   * For what may wait for the device: whether the kernel did it (why not cannot be told). TIMEOUT after 2 s, though it
   * may still happen; the node is closed after it.
   */
  readonly ioctlAsync: (request: number, argument: Buffer) => Effect.Effect<boolean, KernelError>
  /** when every call that was begun has ended, those that were given up too */
  readonly idle: Effect.Effect<void>
  /** where a buffer lies in memory, for structures with pointers */
  readonly addressOf: (buffer: Buffer) => bigint
}

/** A file of a camera alone is there within this time; its microphone's driver may lock the device for a second. */
const patience = Duration.millis(40)
/** A device answers within 20 ms; one that has to be woken first may take a second. */
const deadline = Duration.seconds(2)
/**
 * Of libuv's threads (scripts/camera-service asks for 32): what hangs in the kernel must leave some to files and names. It
 * keeps its thread until the kernel is done with it, so there are places for more than may hang at once: a camera
 * takes one for its node, and at worst as many for its second node, its serial number and its media device.
 */
const places = 24

type Read = (path: string) => Effect.Effect<string | undefined, KernelError>

/** The kernel's calls on nodes. Those that may wait for a device run in libuv's pool, few at a time. */
export class Kernel extends Context.Service<
  Kernel,
  {
    /**
     * Opens the node without taking it from anybody; closed with the scope. TIMEOUT 2 s after it began (it waits for its
     * turn before): what hangs is not joined by another open of the same node, and is closed should it end.
     */
    readonly open: (path: string) => Effect.Effect<OpenNode, KernelError, Scope.Scope>
    /** Loads what calls ioctl(2), which stops all else for 12 ms; else the first node does. `open` tells if it fails. */
    readonly prepare: Effect.Effect<void>
    /** Reads a file of the kernel's that a device may hold up, under the same rules; undefined: it cannot be read. */
    readonly read: Read
    /** The same, given up after 40 ms already (LATE): who reads again waits for its end. */
    readonly readSoon: Read
  }
>()("camera-service/device/v4l2/Kernel") {
  static readonly layer = Layer.effect(
    Kernel,
    Effect.gen(function* () {
      const calls = yield* KernelCalls
      const files = yield* KernelFiles
      const runSync = Effect.runSyncWith(yield* Effect.context())
      const pool = yield* Semaphore.make(places)
      const running = new Map<string, Promise<void>>()
      const refused = (cause: unknown) => new KernelError({ code: codeOf(cause) || "EIO", cause })
      const answerOf = yield* makeDeadlines(deadline, () => new KernelError({ code: "TIMEOUT" }), refused)
      const soon = yield* makeDeadlines(patience, () => new KernelError({ code: "LATE" }), refused)
      // only where cameras are looked for
      let loading: Promise<Ioctls> | undefined
      const loaded = Effect.tryPromise({
        try: () => (loading ??= calls.ioctls()),
        catch: (cause) => new KernelError({ code: "NO_FFI", cause })
      })

      /** Begins a call, for which a place was taken: free again when the call ends, however long ago it was given up. */
      const begin = <A>(call: () => Promise<A>) => {
        const answer = call()
        const ended = settled(answer)
        void ended.then(() => runSync(pool.release(1)))
        return { answer, ended }
      }

      const inPool = <A>(call: () => Promise<A>) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.gen(function* () {
            yield* restore(pool.take(1))
            const { answer } = begin(call)
            return yield* restore(answerOf(answer))
          })
        )

      /** Begins a call on this path when none on it is left, for which it waits as long as for an answer. */
      const beginAlone = Effect.fnUntraced(function* <A>(
        path: string,
        call: (path: string) => Promise<A>,
        within = answerOf
      ) {
        for (;;) {
          const other = running.get(path)
          if (other !== undefined) {
            yield* Effect.interruptible(within(other))
            continue
          }
          yield* Effect.interruptible(pool.take(1))
          if (!running.has(path)) break
          yield* pool.release(1)
        }
        const { answer, ended } = begin(() => call(path))
        running.set(path, ended)
        void ended.then(() => running.delete(path))
        return { answer }
      }, Effect.uninterruptible)

      const read: Read = (path) => Effect.flatMap(beginAlone(path, files.read), ({ answer }) => answerOf(answer))
      const readSoon: Read = (path) => Effect.flatMap(beginAlone(path, files.read, soon), ({ answer }) => soon(answer))

      const open = (path: string) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.gen(function* () {
            const { answer } = yield* beginAlone(path, calls.open)
            const inFlight = new Set<Promise<void>>()
            // no call can be taken back, and a number that is closed under a waiting one may be another file's by then
            const closed = async (): Promise<void> => {
              const fd = await answer
              await Promise.all(inFlight)
              calls.close(fd)
            }
            yield* Effect.addFinalizer(() => Effect.sync(() => void settled(closed())))
            const fd = yield* restore(answerOf(answer))
            const ioctls = yield* restore(loaded)
            const ioctlAsync = (request: number, argument: Buffer) =>
              inPool(() => {
                const answer = ioctls.ioctlAsync(fd, request, argument)
                const ended = settled(answer)
                inFlight.add(ended)
                void ended.then(() => inFlight.delete(ended))
                return answer
              })
            const idle = Effect.promise(() => Promise.all(inFlight)).pipe(Effect.asVoid)
            return { ioctl: ioctls.ioctl(fd), ioctlAsync, idle, addressOf: ioctls.addressOf }
          })
        )

      return Kernel.of({
        open,
        prepare: Effect.ignore(loaded),
        read,
        readSoon
      })
    })
  )
}

const settled = async (promise: Promise<unknown>): Promise<void> => {
  try {
    await promise
  } catch {
    // told where the answer is awaited
  }
}
