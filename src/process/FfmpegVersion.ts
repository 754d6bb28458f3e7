import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Stream from "effect/Stream"
import { ProgramMissing, ProgramUnfit } from "../config/StartupErrors.ts"
import { startChild } from "./Child.ts"
import { maskSecrets } from "./MaskSecrets.ts"

/** A machine that has no time for it says nothing about FFmpeg. */
const versionTime = Duration.seconds(10)
/** Those that others send (an operator, the kernel that is out of memory); the rest are faults of the program itself. */
const sent = new Set(["SIGHUP", "SIGINT", "SIGKILL", "SIGTERM"])
const oldest = { major: 5, minor: 1 }
const hint =
  "the service needs FFmpeg 5.1 or later (Debian: apt-get install ffmpeg), or set ffmpeg.binary and ffmpeg.ffprobe_binary"

/** Undefined: the version is one that we know, or one of a build from between two versions. */
const versionFlaw = (said: string, name: string): string | undefined => {
  const version = new RegExp(`^${name} version (\\S+)`).exec(said)?.[1]
  if (version === undefined) return `is no ${name}`
  const [, major, minor] = /^n?(\d+)\.(\d+)/.exec(version)?.map(Number) ?? []
  if (major === undefined || minor === undefined) return undefined
  const isOld = major < oldest.major || (major === oldest.major && minor < oldest.minor)
  return isOld ? `is too old (${version})` : undefined
}

/** Fails when the program is not there, or is not `name` of a version that we know. */
export const requireVersion = Effect.fnUntraced(
  function* (spawner: ChildProcessSpawner["Service"], program: string, name: "ffmpeg" | "ffprobe") {
    const child = yield* startChild(spawner, { program, args: ["-version"], stdout: "pipe", isHeavy: true })
    const words = yield* Effect.orElseSucceed(Stream.runHead(child.stdout), () => Option.none<Uint8Array>())
    const said = new TextDecoder().decode(Option.getOrUndefined(words))
    const flaw = versionFlaw(said, name)
    if (flaw === undefined) return
    const known = maskSecrets(program)
    if (said === "") {
      const { missing, signal = "" } = yield* child.exit
      if (missing) return yield* new ProgramMissing({ program: known, hint })
      // that it was killed says nothing about it either
      if (sent.has(signal)) return
    }
    return yield* new ProgramUnfit({ program: known, flaw, hint })
  },
  (effect) => Effect.asVoid(Effect.timeoutOption(Effect.scoped(effect), versionTime))
)
