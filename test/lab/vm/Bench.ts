import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { CameraClient } from "../../../schema/client/CameraClient.ts"
import { clientOf, type Ground, ready, type Service, start } from "../../support/Service.ts"
import { follow, type Updates } from "./Updates.ts"

/** An emulated machine takes its time: ten to twenty times that of a real one. */
export const patience = "40 seconds"

/** The production bundle, with an admin's client. */
export interface Running {
  readonly service: Service
  readonly client: CameraClient["Service"]
  readonly updates: Updates
}

export interface Bench {
  readonly now: () => Running
  /** ends the service as an operator does and starts it again on the same ground */
  readonly restart: Effect.Effect<void>
}

const run = Effect.fnUntraced(function* (ground: Ground, user: string | undefined) {
  const service = yield* start(ground, { within: patience, ...(user === undefined ? {} : { user }) })
  yield* ready(service, patience)
  const client = yield* clientOf(service, { role: "admin", ttl: 3600 })
  const updates = yield* follow(client, patience)
  // the first call connects; notifications come from then on
  yield* client.call.get_camera_list({})
  return { service, client, updates } satisfies Running as Running
})

/** A service that runs on this ground for as long as the scope lives. */
export const makeBench = Effect.fnUntraced(function* (ground: Ground, user?: string) {
  const scope = yield* Effect.scope
  const begin = Effect.gen(function* () {
    const its = yield* Scope.fork(scope)
    return { its, running: yield* Scope.provide(run(ground, user), its) }
  })
  let current = yield* begin
  const restart = Effect.gen(function* () {
    yield* current.running.service.kill("SIGTERM")
    yield* current.running.service.ended
    yield* Scope.close(current.its, Exit.void)
    current = yield* begin
  })
  return { now: () => current.running, restart: Effect.orDie(restart) } satisfies Bench as Bench
})
