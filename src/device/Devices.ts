import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { CameraId } from "../../schema/Camera.ts"
import { NotFound } from "../../schema/Errors.ts"
import { CameraNames } from "./CameraNames.ts"
import type { Device, Found } from "./Device.ts"
import type { Fault } from "./Fault.ts"

/** The registry of cameras: providers attach what they find, everybody else reads and follows it. */
export class Devices extends Context.Service<
  Devices,
  {
    /** CONNECTED (or an ERROR from the start) for as long as the scope lives, then DISCONNECTED: for providers */
    readonly attach: (found: Found, fault?: Fault) => Effect.Effect<Attachment, never, Scope.Scope>
    /** an ERROR until it has recovered or is plugged in anew; nothing for a camera that is away */
    readonly fault: (id: CameraId, fault: Fault) => Effect.Effect<void>
    /** it works: no fault any more */
    readonly recovered: (id: CameraId) => Effect.Effect<void>
    /** something that follows from it is another now (how it is read, say): it is told anew */
    readonly changed: (id: CameraId) => Effect.Effect<void>
    /** a provider says that it looks for devices, and gets the effect that says its first look is done */
    readonly looking: (provider: string) => Effect.Effect<Effect.Effect<void>>
    /** all cameras ever seen in this run, by number; the same array until something changes */
    readonly list: () => ReadonlyArray<Device>
    readonly get: (id: CameraId) => Effect.Effect<Device, NotFound>
    /** each camera as it becomes known or changes, the ones known now first; in order, none left out */
    readonly changes: Stream.Stream<Device>
    /** acts on all that `changes` tells, one after the other, for as long as the scope lives */
    readonly follow: (act: (device: Device) => Effect.Effect<unknown>) => Effect.Effect<void, never, Scope.Scope>
    /** the same, ahead of all others who hear of a change: for who tells clients */
    readonly followFirst: (act: (device: Device) => Effect.Effect<unknown>) => Effect.Effect<void, never, Scope.Scope>
    /** whether every provider has finished its first look */
    readonly settled: () => boolean
    readonly awaitSettled: Effect.Effect<void>
  }
>()("camera-service/device/Devices") {
  static readonly layer = Layer.effect(
    Devices,
    Effect.gen(function* () {
      const names = yield* CameraNames
      const devices = new Map<CameraId, Device>()
      const makeFeed = Effect.acquireRelease(PubSub.unbounded<Device>(), PubSub.shutdown)
      const first = yield* makeFeed
      const others = yield* makeFeed
      const pending = new Set<string>()
      const settledLatch = yield* Latch.make(true)
      let sorted: ReadonlyArray<Device> = []

      const put = (device: Device): void => {
        devices.set(device.id, device)
        sorted = [...devices.values()].sort((a, b) => numberOf(a.id) - numberOf(b.id))
        // who waits for it has acted on it when this returns, unless it waits for something else in turn
        PubSub.publishUnsafe(first, device)
        PubSub.publishUnsafe(others, device)
      }

      const attach = Effect.fn("Devices.attach")(function* (found: Found, fault?: Fault) {
        const id = yield* names.claim(found.identity)
        yield* Effect.annotateCurrentSpan("camera.id", id)
        let latest = found
        const update = (now: Found) =>
          Effect.sync(() => {
            latest = now
            put({ ...now, id, status: "CONNECTED" })
          })
        yield* Effect.acquireRelease(
          fault === undefined ? update(found) : Effect.sync(() => put({ ...found, id, status: "ERROR", fault })),
          () => Effect.sync(() => put({ ...latest, id, status: "DISCONNECTED" }))
        )
        // those who follow it come before the log
        yield* Effect.yieldNow
        yield* Effect.logInfo("camera connected").pipe(
          Effect.annotateLogs({ "camera.id": id, kind: found.input.name, ...found.identity })
        )
        if (fault !== undefined) yield* tellFault(id, fault)
        return { id, update }
      })

      const fault = (id: CameraId, now: Fault) =>
        Effect.suspend(() => {
          const device = devices.get(id)
          if (device === undefined || device.status === "DISCONNECTED") return Effect.void
          // a fault that is found again and again is told once
          if (device.fault?.kind === now.kind && device.fault.detail === now.detail) return Effect.void
          put({ ...device, status: "ERROR", fault: now })
          return tellFault(id, now)
        })

      const recovered = (id: CameraId) =>
        Effect.suspend(() => {
          const device = devices.get(id)
          if (device?.fault === undefined) return Effect.void
          const { fault: past, ...working } = device
          put({ ...working, status: "CONNECTED" })
          return Effect.logInfo("camera recovered").pipe(
            Effect.annotateLogs({ "camera.id": id, "fault.kind": past.kind })
          )
        })

      const changed = (id: CameraId) =>
        Effect.sync(() => {
          const device = devices.get(id)
          if (device !== undefined) put({ ...device })
        })

      const looking = (provider: string) =>
        Effect.sync(() => {
          pending.add(provider)
          settledLatch.closeUnsafe()
          return Effect.sync(() => {
            pending.delete(provider)
            if (pending.size === 0) settledLatch.openUnsafe()
          })
        })

      const get = (id: CameraId) =>
        Effect.suspend(() => {
          const device = devices.get(id)
          return device === undefined ? Effect.fail(new NotFound({ resource: "camera", id })) : Effect.succeed(device)
        })

      const changes = Stream.unwrap(
        Effect.map(PubSub.subscribe(others), (subscription) =>
          // subscribed first, then listed: a change in between comes twice rather than never
          Stream.concat(
            Stream.suspend(() => Stream.fromIterable(sorted)),
            Stream.fromSubscription(subscription)
          )
        )
      )

      // no stream, which costs as much as all that follows
      const followOn =
        (feed: PubSub.PubSub<Device>) =>
        (act: (device: Device) => Effect.Effect<unknown>): Effect.Effect<void, never, Scope.Scope> =>
          Effect.gen(function* () {
            const subscription = yield* PubSub.subscribe(feed)
            const next = Effect.flatMap(PubSub.take(subscription), act)
            yield* Effect.forEach(sorted, act, { discard: true }).pipe(
              Effect.andThen(Effect.forever(next, { disableYield: true })),
              Effect.forkScoped
            )
          })

      return Devices.of({
        attach,
        fault,
        recovered,
        changed,
        looking,
        list: () => sorted,
        get,
        changes,
        follow: followOn(others),
        followFirst: followOn(first),
        settled: () => pending.size === 0,
        awaitSettled: settledLatch.await
      })
    })
  )
}

/** What a provider holds of a device it attached. */
export interface Attachment {
  readonly id: CameraId
  /** more is known of it now; it counts as CONNECTED */
  readonly update: (found: Found) => Effect.Effect<void>
}

const tellFault = (id: CameraId, { detail, kind }: Fault) =>
  Effect.logWarning("camera fault").pipe(
    Effect.annotateLogs({ "camera.id": id, "fault.kind": kind, "fault.detail": detail })
  )

const numberOf = (id: CameraId): number => Number(id.slice("camera".length))
