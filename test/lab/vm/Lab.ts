import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Camera, CameraId } from "../../../schema/Camera.ts"
import type { CameraClient } from "../../../schema/client/CameraClient.ts"
import type { CameraSpec } from "../camera/CameraSpec.ts"
import { plug, type PlugFailed, type PluggedCamera } from "../camera/UvcCamera.ts"
import type { Bench } from "./Bench.ts"
import type { Told, Updates } from "./Updates.ts"

/** What a play does with its cameras, and how it sees the service. */
export interface Lab<Name extends string> {
  /** 1 before a reboot, 2 after it */
  readonly boot: number
  readonly bench: Bench
  /** an admin's calls */
  readonly call: () => CameraClient["Service"]["call"]
  /** what that admin is told */
  readonly updates: () => Updates
  /** plugs it in and waits until clients are told that it is CONNECTED; `port` counts the sockets of the USB hub */
  readonly plug: (name: Name, port?: number) => Effect.Effect<CameraId, PlugFailed>
  /** plugs it in and waits for nothing */
  readonly insert: (name: Name, port?: number) => Effect.Effect<PluggedCamera, PlugFailed>
  /** pulls it out and waits until clients are told that it is DISCONNECTED */
  readonly unplug: (name: Name) => Effect.Effect<void>
  /** pulls it out and waits for nothing */
  readonly pull: (name: Name) => Effect.Effect<void>
  /** what the camera itself does: freeze, break, … */
  readonly camera: (name: Name) => PluggedCamera
  /** the next change of the camera like this that clients are told */
  readonly told: (name: Name, wanted: (camera: Camera) => boolean) => Effect.Effect<Told<Camera>>
}

/** The cameras of one play; those that are still plugged in are pulled out with the scope. */
export const makeLab = Effect.fnUntraced(function* <Name extends string>(
  specs: Readonly<Record<Name, CameraSpec>>,
  bench: Bench,
  boot: number
) {
  const plugged = new Map<Name, { readonly camera: PluggedCamera; readonly scope: Scope.Closeable }>()
  const names: ReadonlyArray<string> = Object.keys(specs)
  const scope = yield* Effect.scope

  const camera = (name: Name): PluggedCamera => {
    const found = plugged.get(name)
    if (found === undefined) throw new Error(`${name} is not plugged in`)
    return found.camera
  }

  const told: Lab<Name>["told"] = (name, wanted) =>
    bench.now().updates.camera((update) => update.name === specs[name].name && wanted(update))

  const insert: Lab<Name>["insert"] = Effect.fnUntraced(function* (name, port = names.indexOf(name)) {
    const its = yield* Scope.fork(scope)
    const inserted = yield* plug(specs[name], port).pipe(Scope.provide(its))
    plugged.set(name, { camera: inserted, scope: its })
    return inserted
  })

  const pull: Lab<Name>["pull"] = (name) =>
    Effect.suspend(() => {
      const found = plugged.get(name)
      plugged.delete(name)
      return found === undefined ? Effect.void : Scope.close(found.scope, Exit.void)
    })

  return {
    boot,
    bench,
    call: () => bench.now().client.call,
    updates: () => bench.now().updates,
    insert,
    pull,
    camera,
    told,
    plug: Effect.fnUntraced(function* (name, port) {
      yield* insert(name, port)
      const { update } = yield* told(name, ({ status }) => status === "CONNECTED")
      return update.device
    }),
    unplug: Effect.fnUntraced(function* (name) {
      yield* pull(name)
      yield* told(name, ({ status }) => status === "DISCONNECTED")
    })
  } satisfies Lab<Name> as Lab<Name>
})
