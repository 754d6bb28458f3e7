import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawnSync } from "node:child_process"
import { eventually } from "../../test/support/Eventually.ts"
import { freePorts } from "../../test/support/FreePorts.ts"
import { child } from "../../test/support/RtspPeer.ts"
import { summary } from "./Statistics.ts"

export interface Go2rtc {
  /** the stream `camera` is at this port of RTSP */
  readonly rtsp: number
  /** has it make a picture of the camera, and gives how many milliseconds that took */
  readonly picture: Effect.Effect<number, unknown>
}

/** Such as 1.9.9; undefined: it is not there. */
const version = (): string | undefined =>
  /version (\S+)/.exec(spawnSync("go2rtc", ["-version"], { encoding: "utf8" }).stdout ?? "")?.[1]

const start = Effect.fnUntraced(function* (source: string) {
  const [api = 0, rtsp = 0] = yield* freePorts(2)
  const configuration = {
    ...{ api: { listen: `127.0.0.1:${api}` }, rtsp: { listen: `127.0.0.1:${rtsp}` } },
    ...{ webrtc: { listen: "" }, srtp: { listen: "" }, log: { level: "error" }, streams: { camera: source } }
  }
  yield* child("go2rtc", ["-config", JSON.stringify(configuration)])
  const ask = async (path: string) => {
    const reply = await fetch(`http://127.0.0.1:${api}/api${path}`)
    return { status: reply.status, size: (await reply.arrayBuffer()).byteLength }
  }
  yield* eventually(
    "go2rtc answers",
    Effect.map(
      Effect.tryPromise(() => ask("")),
      () => true
    )
  )
  const picture = Effect.gen(function* () {
    const began = performance.now()
    const { size, status } = yield* Effect.promise(() => ask("/frame.jpeg?src=camera"))
    if (status !== 200 || size === 0) return yield* Effect.fail(`no picture (status ${status}, ${size} bytes)`)
    return performance.now() - began
  })
  return { rtsp, picture } satisfies Go2rtc as Go2rtc
})

/**
 * What go2rtc, which others made for the same, takes with this camera, in words; it is measured where it is in PATH
 * (`go install github.com/AlexxIT/go2rtc@v1.9.9`).
 */
export const go2rtcToo = (
  source: string,
  measure: (go2rtc: Go2rtc) => Effect.Effect<ReadonlyArray<number>, unknown, Scope.Scope>
): Effect.Effect<string> => {
  const known = version()
  if (known === undefined) return Effect.succeed("go2rtc is not in PATH")
  const measured = Effect.scoped(Effect.flatMap(start(source), measure))
  return Effect.match(measured, {
    onSuccess: (samples) => `go2rtc ${known}: ${summary(samples)}`,
    // it has no picture of some
    onFailure: (error) => `go2rtc ${known}: ${String(error)}`
  })
}
