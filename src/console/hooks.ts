import { type ReadonlySignal, type Signal, signal, useSignal } from "@preact/signals"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { useLayoutEffect, useMemo } from "preact/hooks"
import type { Calls } from "../../schema/client/Calls.ts"
import { ConnectionLost } from "../../schema/client/ConnectionLost.ts"
import { AuthFailed } from "../../schema/Errors.ts"
import { useConsole } from "./Context.ts"
import { type Trouble, troubleOf } from "./words.ts"

/**
 * Runs with the component, in a scope of its own; from its beginning again when what it depends on changes. What it asks for
 * is on its way before the component is painted.
 */
export const useFiber = (effect: () => Effect.Effect<void> | undefined, dependencies: ReadonlyArray<unknown>): void =>
  useLayoutEffect(() => {
    const run = effect()
    if (run === undefined) return
    const fiber = Effect.runFork(run)
    return () => void Effect.runFork(Fiber.interrupt(fiber))
  }, dependencies)

export type Loaded<A> =
  | { readonly _tag: "Loading" }
  | { readonly _tag: "Loaded"; readonly value: A }
  | { readonly _tag: "Failed"; readonly trouble: Trouble }

export interface Asked<A> {
  readonly state: Signal<Loaded<A>>
  readonly again: () => void
}

/** What the service answers: loaded anew at each connection and whenever `dependencies` change; what was known stays meanwhile. */
export const useAsked = <A, E>(
  use: (call: Calls) => Effect.Effect<A, E | ConnectionLost>,
  dependencies: ReadonlyArray<unknown>,
  every?: number
): Asked<A> => {
  const { session } = useConsole()
  const state = useSignal<Loaded<A>>({ _tag: "Loading" })
  const round = useSignal(0)
  useFiber(() => {
    if (session.connection.peek() === 0) return undefined
    const once = Effect.matchCause(session.ask(use), {
      // also what is no error of this method: such as a fault of the service itself
      onFailure: (cause) => {
        const error = Cause.squash(cause)
        // told at the top of the page, and asked again with the next connection or login
        if (isAway(error)) return
        state.value = { _tag: "Failed", trouble: troubleOf(error) }
      },
      onSuccess: (value) => void (state.value = { _tag: "Loaded", value })
    })
    return every === undefined ? once : Effect.forever(Effect.andThen(once, Effect.sleep(every)))
  }, [session.connection.value, round.value, ...dependencies])
  return { state, again: () => void round.value++ }
}

const isAway = (error: unknown): boolean => error instanceof ConnectionLost || error instanceof AuthFailed

const ticks = signal(Date.now())
let ticking = false
/** This machine's time, each second; for what counts up. */
export const useSecond = (): ReadonlySignal<number> =>
  useMemo(() => {
    if (!ticking) {
      ticking = true
      setInterval(() => {
        if (document.visibilityState === "visible") ticks.value = Date.now()
      }, 1000)
    }
    return ticks
  }, [])

/** Whether the element is on the screen, and the page is; a moment out of sight does not count. */
export const useInSight = (element: { readonly current: Element | null }, grace = 1000): ReadonlySignal<boolean> => {
  const isSeen = useSignal(false)
  useLayoutEffect(() => {
    const { current } = element
    if (current === null) return
    // what an observer tells a frame later
    const { bottom, left, right, top } = current.getBoundingClientRect()
    let inView = bottom > 0 && right > 0 && top < innerHeight && left < innerWidth
    let timer = 0
    const look = () => {
      clearTimeout(timer)
      if (inView && document.visibilityState === "visible") isSeen.value = true
      else timer = window.setTimeout(() => void (isSeen.value = false), grace)
    }
    const observer = new IntersectionObserver((entries) => {
      inView = entries.at(-1)?.isIntersecting ?? false
      look()
    })
    observer.observe(current)
    look()
    document.addEventListener("visibilitychange", look)
    return () => {
      clearTimeout(timer)
      observer.disconnect()
      document.removeEventListener("visibilitychange", look)
    }
  }, [])
  return isSeen
}
