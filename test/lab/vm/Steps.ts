import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readdirSync, readlinkSync } from "node:fs"
import { join } from "node:path"
import type { CameraId } from "../../../schema/Camera.ts"
import { signal } from "../../support/Processes.ts"
import { eventually } from "../../support/Eventually.ts"
import { patience } from "./Bench.ts"
import type { Lab } from "./Lab.ts"

/** What several plays do. */

type AnyLab = Pick<Lab<string>, "bench" | "call">

/** The camera's stream, with frames in it. */
export const streaming = Effect.fnUntraced(function* (lab: AnyLab, device: CameraId) {
  yield* lab.call().start_streaming({ device })
  return yield* eventually(
    "the stream is active",
    Effect.map(
      lab.call().get_stream_status({ device }),
      (status) => status.status === "ACTIVE" && status.metrics.frames_sent > 0 && status
    ),
    patience
  )
})

/** Where the camera is today. */
export const nodeOf = (lab: AnyLab, device: CameraId) =>
  Effect.map(lab.call().get_camera_status({ device, debug: true }), ({ debug }) => debug?.internal_device_path ?? "")

/** The processes that have the node open. */
export const holdersOf = (node: string): ReadonlyArray<number> =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const fds = join("/proc", pid, "fd")
        return readdirSync(fds).some((fd) => readlinkSync(join(fds, fd)) === node)
      } catch {
        // it has ended between the listing and this
        return false
      }
    })
    .map(Number)

/** Another program that reads the camera, until the scope closes. */
export const otherProgram = Effect.fnUntraced(function* (_lab: AnyLab, node: string) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn("ffmpeg", ["-v", "error", "-nostdin", "-f", "v4l2", "-i", node, "-f", "null", "-"], { stdio: "ignore" })
    ),
    (running) => Effect.sync(() => void running.kill("SIGKILL"))
  )
  const pid = child.pid ?? 0
  yield* eventually(
    "the other program has it open",
    Effect.sync(() => holdersOf(node).includes(pid)),
    patience
  )
  const end = Effect.promise(async () => {
    const ended = once(child, "exit")
    child.kill("SIGKILL")
    await ended
  })
  return { pid, end }
})

/** The camera's control with this name, as it is now. */
export const controlNamed = (lab: AnyLab, device: CameraId, name: string) =>
  Effect.flatMap(lab.call().get_camera_controls({ device }), ({ controls }) => {
    const found = controls.find((control) => control.name === name)
    return found === undefined
      ? Effect.die(new Error(`no ${name} among ${controls.map((control) => control.name).join(", ")}`))
      : Effect.succeed(found)
  })

/** MediaMTX stands still until the scope closes, and so does each that is started in its place. */
export const mediaMtxStopped = Effect.fnUntraced(function* (lab: AnyLab) {
  const all = (name: "SIGSTOP" | "SIGCONT") =>
    Effect.sync(() => {
      for (const { pid } of lab.bench.now().service.ground.running("mediamtx")) signal(pid, name)
    })
  yield* Effect.acquireRelease(all("SIGSTOP"), () => all("SIGCONT"))
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep("100 millis"), all("SIGSTOP"))))
})

export const snapshotFile = (lab: AnyLab, filename: string) =>
  Effect.succeed(join(lab.bench.now().service.ground.folder, "snapshots", filename))
