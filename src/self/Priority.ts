import * as Effect from "effect/Effect"
import { getPriority, setPriority } from "node:os"

/*
 * Clients are answered and viewers served while FFmpeg takes every core, and a camera is there at once while udev still works
 * on it: nice(1) values, the smaller the sooner.
 */
const service = -15
const served = -10
const usual = 0

/**
 * Has the main thread come first, and the threads that it starts from now on (libuv's); V8's helper threads, which are there
 * already, stay as they are. Changes nothing where we may not (who may: root, CAP_SYS_NICE), or where the one who started us
 * has chosen another priority.
 */
export const raisePriority: Effect.Effect<void> = Effect.sync(() => {
  if (getPriority() !== usual) return
  try {
    // of the calling thread, and of what it starts: Linux, setpriority(2), "C library/kernel differences"
    setPriority(service)
  } catch {
    // it works as it is, only not as soon
  }
})

/**
 * What comes before a child's command, for its priority: `nice` (coreutils), which is told the steps from ours. A heavy one
 * works for long on all cores.
 */
export const atPriority = (isHeavy: boolean): ReadonlyArray<string> => {
  const steps = (isHeavy ? usual : served) - getPriority()
  return steps > 0 ? ["nice", "-n", String(steps)] : []
}
