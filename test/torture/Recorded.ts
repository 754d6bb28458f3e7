import * as Effect from "effect/Effect"
import { eventually } from "../support/Eventually.ts"
import type { PlainClient } from "../support/PlainClient.ts"
import type { Service } from "../support/Service.ts"

interface Listed {
  readonly files: ReadonlyArray<{ readonly file_size: number }>
}

/** Bytes of all recordings of a camera, the open one among them. */
export const bytesOf = (client: PlainClient, device: string) =>
  Effect.map(client.result<Listed>("list_recordings", { device }), ({ files }) =>
    files.reduce((sum, { file_size }) => sum + file_size, 0)
  )

/** Waits until more of a camera is recorded than there is now; where it is not, the service's log says why. */
export const recordedOn = Effect.fnUntraced(function* (service: Service, client: PlainClient, device: string) {
  const before = yield* bytesOf(client, device)
  yield* eventually(
    `${device} is recorded on`,
    Effect.map(bytesOf(client, device), (bytes) => bytes > before),
    "60 seconds"
  ).pipe(Effect.onError(() => Effect.logError(service.stderr().slice(-8000))))
})
