import * as Effect from "effect/Effect"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Stream from "effect/Stream"
import { ProgramUnfit } from "../config/StartupErrors.ts"
import { startChild } from "./Child.ts"

const oldest = [1, 21, 0] as const

export const mediaMtxHint =
  "the service needs MediaMTX 1.21.0 or later, in PATH or as mediamtx.binary: the Debian package has it (/usr/lib/camera-service/bin/mediamtx), among the sources ./scripts/setup gets it, and https://github.com/bluenviron/mediamtx/releases has it"

/** `v1.21.0`, also with something after it; a build without a version counts as old. */
const isCurrent = (version: string): boolean => {
  const parts = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number) ?? []
  for (const [i, least] of oldest.entries()) {
    const part = parts[i] ?? 0
    if (part !== least) return part > least
  }
  return true
}

/** Undefined: what says that this is its version is a MediaMTX that we know. */
export const flawOf = (version: string): string | undefined => {
  if (isCurrent(version)) return undefined
  return /^v?\d/.test(version) ? `is too old (${version.trim()})` : "is no MediaMTX with a version"
}

/** Fails where what the program says of its version is not that of a MediaMTX that we know. */
export const requireVersion = (program: string, version: string): Effect.Effect<void, ProgramUnfit> => {
  const flaw = flawOf(version)
  return flaw === undefined ? Effect.void : new ProgramUnfit({ program, flaw, hint: mediaMtxHint })
}

/** `mediamtx --version`: asked when a start failed, since an old one refuses configuration that it doesn't know. */
export const requireVersionOfBinary = (spawner: ChildProcessSpawner["Service"], program: string) =>
  Effect.gen(function* () {
    const child = yield* startChild(spawner, { program, args: ["--version"], stdout: "pipe" })
    const said = yield* Stream.mkString(Stream.decodeText(child.stdout))
    const { code } = yield* child.exit
    // one that cannot even say its version has another trouble than its age
    if (code === 0) yield* requireVersion(program, said)
  }).pipe(
    Effect.scoped,
    Effect.catchTag(["NotStarted", "PlatformError"], () => Effect.void)
  )
