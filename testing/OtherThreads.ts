import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

type Call = (...args: ReadonlyArray<unknown>) => Promise<unknown>

/** What WebCrypto's threads are at. */
const working = new Set<Promise<unknown>>()

/** Waits until no other thread works on what was asked of it, however busy the machine is. */
export const threadsIdle = async (): Promise<void> => {
  while (working.size > 0) await Promise.allSettled(working)
}

const watched =
  (call: Call): Call =>
  (...args) => {
    const result = call.apply(crypto.subtle, [...args])
    const over = () => void working.delete(result)
    working.add(result)
    result.then(over, over)
    return result
  }

const watchedCalls = ["digest", "exportKey", "generateKey", "importKey", "sign", "verify"] as const

/**
 * Credentials are looked at by WebCrypto, in threads of the machine's own time: what they are at is known, so that a test's
 * clock can wait for them.
 */
export const layer = Layer.effectDiscard(
  Effect.forEach(watchedCalls, (name) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const before = Object.getOwnPropertyDescriptor(crypto.subtle, name)
        const value = watched(crypto.subtle[name] as Call)
        Object.defineProperty(crypto.subtle, name, { value, configurable: true, writable: true })
        return before
      }),
      (before) =>
        Effect.sync(() => {
          if (before === undefined) Reflect.deleteProperty(crypto.subtle, name)
          else Object.defineProperty(crypto.subtle, name, before)
        })
    )
  )
)
