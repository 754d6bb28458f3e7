import * as Effect from "effect/Effect"
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { eventually } from "../support/Eventually.ts"
import type { Service } from "../support/Service.ts"

/** Bytes on the disk of all recordings of a camera. */
export const bytesOf = ({ ground }: Service, device: string) =>
  Effect.sync(() => {
    const folder = join(ground.folder, "recordings")
    return readdirSync(folder)
      .filter((name) => name.startsWith(`${device}_`))
      .reduce((sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0), 0)
  })

/** Waits until more of a camera is recorded than there is now; where it is not, the service's log says why. */
export const recordedOn = Effect.fnUntraced(function* (service: Service, device: string) {
  const before = yield* bytesOf(service, device)
  yield* eventually(
    `${device} is recorded on`,
    Effect.map(bytesOf(service, device), (bytes) => bytes > before),
    "60 seconds"
  ).pipe(Effect.onError(() => Effect.logError(service.stderr().slice(-8000))))
})
