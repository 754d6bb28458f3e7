import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Stream from "effect/Stream"
import { Settings } from "../config/Settings.ts"
import { NotStarted } from "../config/StartupErrors.ts"
import { Loopback } from "../ground/Loopback.ts"
import { describeExit, startChild } from "../process/Child.ts"
import { Ffmpeg } from "../process/Ffmpeg.ts"
import { flawOf, mediaMtxHint } from "../process/MediaMtxVersion.ts"
import { type Check, failure, type Finding, ok, warning } from "./Check.ts"

const installFfmpeg = "apt-get install ffmpeg"
/** Without the first no camera is encoded, without the second no picture. */
const needed = ["libx264", "mjpeg"]
const hardware = ["h264_v4l2m2m", "h264_vaapi"]

/** The programs that the service starts. */
export const makeProgramChecks = Effect.gen(function* () {
  const { ffmpeg: named, mediamtx } = (yield* Settings).boot
  const ffmpeg = yield* Ffmpeg
  const loopback = yield* Loopback
  const spawner = yield* ChildProcessSpawner

  const says = (argument: string) =>
    Effect.map(ffmpeg.run([argument], { work: "trial", timeout: Duration.seconds(3) }), (bytes) =>
      new TextDecoder().decode(bytes)
    )

  const lookAtFfmpeg = Effect.gen(function* () {
    yield* ffmpeg.check
    const version = /^ffmpeg version (\S+)/.exec(yield* says("-version"))?.[1] ?? "of an unknown version"
    return ok(`${named.binary} ${version}, and ${named.ffprobe_binary}`)
  }).pipe(Effect.catch((error) => Effect.succeed(notAsked(error, installFfmpeg))))

  const lookAtEncoders = Effect.gen(function* () {
    const list = yield* says("-encoders")
    const has = (name: string) => new RegExp(`^ V\\S* +${name} `, "m").test(list)
    const missing = needed.filter((name) => !has(name))
    const evidence = [...needed, ...hardware].filter(has).join(", ")
    if (missing.length === 0) return ok(evidence)
    return failure(`${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} not in it`, installFfmpeg)
  }).pipe(Effect.catch((error) => Effect.succeed(notAsked(error, installFfmpeg))))

  const lookAtMediaMtx = Effect.gen(function* () {
    const child = yield* startChild(spawner, { program: mediamtx.binary, args: ["--version"], stdout: "pipe" })
    const said = yield* Stream.mkString(Stream.decodeText(child.stdout))
    const exit = yield* child.exit
    const { code, missing } = exit
    if (missing) return failure(`${mediamtx.binary} is not there`, mediaMtxHint)
    // one that cannot even say its version has another trouble than its age
    if (code !== 0) return failure(describeExit(mediamtx.binary, exit), `try it: ${mediamtx.binary} --version`)
    const flaw = flawOf(said)
    return flaw === undefined
      ? ok(`${mediamtx.binary} ${said.trim()}`)
      : failure(`${mediamtx.binary} ${flaw}`, mediaMtxHint)
  }).pipe(
    Effect.scoped,
    Effect.catch((error) => Effect.succeed(notAsked(error, mediaMtxHint)))
  )

  /** It is asked nothing: the key to it is the service's alone. */
  const lookAtOperators = loopback
    .ask({ host: "127.0.0.1", port: mediamtx.api_port }, "GET / HTTP/1.0\r\n\r\n", (heard) => heard.includes("\r\n"))
    .pipe(
      Effect.match({
        onFailure: () =>
          warning(
            `mediamtx.managed is false, and nobody answers on 127.0.0.1:${mediamtx.api_port}`,
            "start MediaMTX with api: yes, or set mediamtx.api_port"
          ),
        onSuccess: () => ok(`the operator's answers on 127.0.0.1:${mediamtx.api_port}`)
      })
    )

  return [
    { name: "ffmpeg", look: lookAtFfmpeg },
    { name: "encoders", look: lookAtEncoders },
    { name: "mediamtx", look: mediamtx.managed ? lookAtMediaMtx : lookAtOperators }
  ] satisfies ReadonlyArray<Check>
})

/** That a program did not come to say anything, for a limit say, is mended in another way than one that is not there. */
const notAsked = (error: Error & { readonly detail?: string }, install: string): Finding => {
  const { cause = error } = error
  if (cause instanceof NotStarted) return failure(`${cause.program} could not be started: ${cause.detail}`, cause.hint)
  return failure(error.detail ?? error.message, install)
}
