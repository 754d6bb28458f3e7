import * as Effect from "effect/Effect"
import { readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { eventually } from "../support/Eventually.ts"
import { connect } from "../support/PlainClient.ts"
import { makeGround, program, ready, start } from "../support/Service.ts"

/** Runs a program that takes the machine for another one of its starts: the index may not be trusted. */
const asAfterReboot = (file: string): ReadonlyArray<string> => {
  writeFileSync(file, "00000000-0000-4000-8000-000000000000\n")
  const script = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"'
  return ["unshare", "--mount", "sh", "-c", script, file, program]
}

/**
 * Starts the whole service on a data folder as a power cut has left it: it is ready by itself, and goes on to record these
 * cameras in new files.
 */
export const startAfter = Effect.fnUntraced(function* (folder: string, cameras: ReadonlyArray<string>) {
  const before = new Set(readdirSync(join(folder, "recordings")))
  const ground = yield* makeGround({ cameras: 4, folder, settings: { TELEMETRY_LOG_LEVEL: "warning" } })
  const service = yield* start(ground, { command: asAfterReboot(join(folder, "../boot_id")) })
  yield* ready(service)
  const client = yield* connect(service.url, yield* service.token({ role: "admin" }))
  for (const device of cameras) {
    const listed = client.result<Listed>("list_recordings", { device, limit: 1000 })
    yield* eventually(
      `${device} is recorded on`,
      Effect.map(listed, ({ files }) => files.some(({ filename }) => !before.has(filename)))
    )
  }
})

interface Listed {
  readonly files: ReadonlyArray<{ readonly filename: string }>
}
