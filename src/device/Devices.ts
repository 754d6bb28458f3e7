import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { CameraId } from "../../schema/Camera.ts"
import { NotFound } from "../../schema/Errors.ts"
import { type Act, type Facts, makeFacts } from "../facts/Facts.ts"
import type { CameraFact } from "./CameraFact.ts"
import { CameraNames } from "./CameraNames.ts"
import type { Device, Found } from "./Device.ts"
import type { Fault } from "./Fault.ts"

/** The registry of cameras: providers attach what they find, everybody else reads and follows it. */
export class Devices extends Context.Service<
  Devices,
  {
    /**
     * CONNECTED (or an ERROR from the start) for as long as the scope lives, then DISCONNECTED: for providers. `pluggedAt`:
     * when the kernel told of it, in monotonic milliseconds; none of what was there already.
     */
    readonly attach: (found: Found, fault?: Fault, pluggedAt?: number) => Effect.Effect<Attachment, never, Scope.Scope>
    /** an ERROR until it has recovered or is plugged in anew; nothing for a camera that is away */
    readonly fault: (id: CameraId, fault: Fault) => Effect.Effect<void>
    /** it works: no fault any more */
    readonly recovered: (id: CameraId) => Effect.Effect<void>
    /** something that follows from it is another now (how it is read, say): it is told anew */
    readonly changed: (id: CameraId) => Effect.Effect<void>
    /** a provider says that it looks for devices, and gets the effect that says its first look is done */
    readonly looking: (provider: string) => Effect.Effect<Effect.Effect<void>>
    /** a camera that is away is no more: whether its name is kept for it, or free for another; nothing for one that is there */
    readonly forget: (id: CameraId, name: "kept" | "free") => Effect.Effect<void>
    /** all cameras that were seen in this run and not forgotten, by number; the same array until something changes */
    readonly list: () => ReadonlyArray<Device>
    /** this one of them */
    readonly find: (id: CameraId) => Device | undefined
    /** the same; fails where there is none */
    readonly get: (id: CameraId) => Effect.Effect<Device, NotFound>
    /** what happens from now on */
    readonly facts: Facts<CameraFact>
    /** each camera as it becomes known or changes, the ones known now first; in order, none left out */
    readonly changes: Stream.Stream<Device>
    /** acts on all that `changes` tells, one after the other, for as long as the scope lives */
    readonly follow: (act: Act<Device>) => Effect.Effect<void, never, Scope.Scope>
    /** acts on each camera that is forgotten from now on: for who remembers something of cameras */
    readonly followForgotten: (act: (camera: CameraId) => void) => Effect.Effect<void, never, Scope.Scope>
    /** whether every provider has finished its first look */
    readonly settled: () => boolean
    /** returns when that is so */
    readonly awaitSettled: Effect.Effect<void>
  }
>()("camera-service/device/Devices") {
  static readonly layer = Layer.effect(
    Devices,
    Effect.gen(function* () {
      const names = yield* CameraNames
      const devices = new Map<CameraId, Device>()
      const facts = yield* makeFacts<CameraFact>()
      const pending = new Set<string>()
      const settledLatch = yield* Latch.make(true)
      let sorted: ReadonlyArray<Device> = []

      const tell = (_tag: CameraFact["_tag"], device: Device, pluggedAt?: number): void => {
        sorted = [...devices.values()].sort((a, b) => inCameraOrder(a.id, b.id))
        facts.tell({ _tag, camera: device.id, device, ...(pluggedAt === undefined ? {} : { pluggedAt }) })
      }
      const put = (fact: Exclude<CameraFact["_tag"], "CameraForgotten">, device: Device, pluggedAt?: number): void => {
        devices.set(device.id, device)
        tell(fact, device, pluggedAt)
      }

      const attach = Effect.fn("Devices.attach")(function* (found: Found, fault?: Fault, pluggedAt?: number) {
        const id = yield* names.claim(found.identity)
        yield* Effect.annotateCurrentSpan("camera.id", id)
        let latest = found
        const update = (now: Found) =>
          Effect.suspend(() => {
            latest = now
            const past = devices.get(id)?.fault
            put(past === undefined ? "CameraChanged" : "CameraRecovered", { ...now, id, status: "CONNECTED" })
            return past === undefined ? Effect.void : tellRecovered(id, past)
          })
        yield* Effect.acquireRelease(
          Effect.sync(() =>
            fault === undefined
              ? put("CameraConnected", { ...found, id, status: "CONNECTED" }, pluggedAt)
              : put("CameraFaulty", { ...found, id, status: "ERROR", fault }, pluggedAt)
          ),
          () => Effect.sync(() => put("CameraDisconnected", { ...latest, id, status: "DISCONNECTED" }))
        )
        // those who follow it come before the log
        yield* Effect.yieldNow
        if (found.isUnreached !== true) yield* tellConnected(id, found)
        if (fault !== undefined) yield* tellFault(id, fault)
        return { id, update }
      })

      const fault = (id: CameraId, now: Fault) =>
        Effect.suspend(() => {
          const device = devices.get(id)
          if (device === undefined || device.status === "DISCONNECTED") return Effect.void
          // a fault that is found again and again is told once
          if (device.fault?.kind === now.kind && device.fault.detail === now.detail) return Effect.void
          put("CameraFaulty", { ...device, status: "ERROR", fault: now })
          return tellFault(id, now)
        })

      const recovered = (id: CameraId) =>
        Effect.suspend(() => {
          const device = devices.get(id)
          if (device?.fault === undefined) return Effect.void
          const { fault: past, ...working } = device
          put("CameraRecovered", { ...working, status: "CONNECTED" })
          return tellRecovered(id, past)
        })

      const changed = (id: CameraId) =>
        Effect.sync(() => {
          const device = devices.get(id)
          if (device !== undefined) put("CameraChanged", { ...device })
        })

      const forget = Effect.fn("Devices.forget")(function* (id: CameraId, name: "kept" | "free") {
        yield* Effect.annotateCurrentSpan("camera.id", id)
        const device = devices.get(id)
        if (device?.status !== "DISCONNECTED") return
        devices.delete(id)
        tell("CameraForgotten", device)
        if (name === "free") yield* names.giveUp(id)
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

      /** The cameras that are known come first; what happens meanwhile waits for its turn. */
      const follow = Effect.fnUntraced(function* (act: Act<Device>) {
        const known = yield* Latch.make(false)
        yield* facts.follow(({ _tag, device }) =>
          _tag === "CameraForgotten" ? Effect.void : Effect.andThen(known.await, act(device))
        )
        yield* Effect.forkScoped(Effect.andThen(Effect.forEach(sorted, act, { discard: true }), known.open))
      })

      const changes = Stream.unwrap(
        Effect.gen(function* () {
          const queue = yield* Queue.unbounded<Device>()
          yield* facts.follow(({ _tag, device }) =>
            _tag === "CameraForgotten" ? Effect.void : Queue.offer(queue, device)
          )
          Queue.offerAllUnsafe(queue, sorted)
          return Stream.fromQueue(queue)
        })
      )

      return Devices.of({
        attach,
        fault,
        recovered,
        changed,
        forget,
        looking,
        list: () => sorted,
        find: (id) => devices.get(id),
        get,
        facts,
        changes,
        follow,
        followForgotten: (act) =>
          facts.follow(({ _tag, camera }) => Effect.sync(() => (_tag === "CameraForgotten" ? act(camera) : undefined))),
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

/** In the log. */
export const tellConnected = (id: CameraId, { identity, input }: Found) =>
  Effect.logInfo("camera connected").pipe(Effect.annotateLogs({ "camera.id": id, kind: input.name, ...identity }))

const tellFault = (id: CameraId, { detail, kind }: Fault) =>
  Effect.logWarning("camera fault").pipe(
    Effect.annotateLogs({ "camera.id": id, "fault.kind": kind, "fault.detail": detail })
  )

const tellRecovered = (id: CameraId, { kind }: Fault) =>
  Effect.logInfo("camera recovered").pipe(Effect.annotateLogs({ "camera.id": id, "fault.kind": kind }))

/** For sorting: `camera2` comes before `camera10`. */
export const inCameraOrder = (a: CameraId, b: CameraId): number => numberOf(a) - numberOf(b)

const numberOf = (id: CameraId): number => Number(id.slice("camera".length))
