import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { liveNow, type Settings } from "../../config/Settings.ts"
import type { Found } from "../Device.ts"
import type { Attachment, Devices } from "../Devices.ts"
import type { Fault } from "../Fault.ts"
import { matchesGlob } from "../../config/Glob.ts"

interface Known {
  readonly found: Found
  readonly fault: Fault | undefined
}

/**
 * A node's camera as others see it, for as long as the scope lives: attached while `cameras.include` and `cameras.exclude`
 * let its name through, which may change. What is given tells what is known of it now.
 */
export const makeShownCamera = Effect.fnUntraced(function* (
  devices: Devices["Service"],
  settings: Settings["Service"],
  toldAt: number | undefined
) {
  const scope = yield* Effect.scope
  const one = yield* Semaphore.make(1)
  let known: Known | undefined
  let shown: { readonly attachment: Attachment; readonly scope: Scope.Closeable } | undefined
  let isLeftOut = false

  const isWanted = (name: string): boolean => {
    const { exclude, include } = liveNow(settings).cameras
    return include.some((glob) => matchesGlob(name, glob)) && !exclude.some((glob) => matchesGlob(name, glob))
  }

  const leaveOut = Effect.fnUntraced(function* (name: string) {
    if (!isLeftOut) yield* Effect.logInfo("camera left out by its name").pipe(Effect.annotateLogs({ name }))
    isLeftOut = true
    if (shown === undefined) return
    const { scope } = shown
    shown = undefined
    yield* Scope.close(scope, Exit.void)
  })

  const attach = Effect.fnUntraced(function* ({ fault, found }: Known) {
    const life = yield* Scope.fork(scope)
    isLeftOut = false
    shown = { attachment: yield* Scope.provide(devices.attach(found, fault, toldAt), life), scope: life }
  })

  const follow = Effect.suspend(() => {
    if (known === undefined) return Effect.void
    if (!isWanted(known.found.name)) return leaveOut(known.found.name)
    return shown === undefined ? attach(known) : Effect.void
  }).pipe(one.withPermit)
  yield* Effect.forkScoped(Stream.runForEach(SubscriptionRef.changes(settings.live), () => follow))

  return (found: Found, fault?: Fault) =>
    Effect.suspend(() => {
      known = { found, fault }
      if (!isWanted(found.name)) return leaveOut(found.name)
      if (shown === undefined) return attach(known)
      return fault === undefined ? shown.attachment.update(found) : devices.fault(shown.attachment.id, fault)
    }).pipe(one.withPermit)
})
