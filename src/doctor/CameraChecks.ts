import * as Effect from "effect/Effect"
import { join } from "node:path"
import { Settings } from "../config/Settings.ts"
import { Holders } from "../device/v4l2/Holders.ts"
import { V4l2Nodes } from "../device/v4l2/V4l2Nodes.ts"
import { Disk } from "../ground/Disk.ts"
import { KernelFiles } from "../ground/KernelFiles.ts"
import { Machine } from "../ground/Machine.ts"
import { type Check, failure, type Finding, ok, warning, worst } from "./Check.ts"
import type { Folder } from "./Folder.ts"
import { makeOwnership } from "./Ownership.ts"

/** The group that udev gives the nodes of cameras to (systemd's 50-udev-default.rules). */
const group = "video"

/** The cameras that are plugged in, who has them, and whether this user may open them. */
export const makeCameraChecks = Effect.fnUntraced(function* ({ service }: Folder) {
  const { cameras } = (yield* Settings).boot
  const files = yield* KernelFiles
  const holders = yield* Holders
  const nodes = yield* V4l2Nodes
  const machine = yield* Machine
  const disk = yield* Disk
  const isOthers = (yield* makeOwnership)(service)

  /** Undefined: the node is none of a camera. */
  const lookAt = Effect.fnUntraced(function* (node: string) {
    const path = join(files.dev, node)
    const probed = yield* Effect.result(nodes.probe(path))
    const about = `${path} (${nodes.name(node) || "without a name"})`
    if (probed._tag === "Failure") {
      const { code } = probed.failure
      const { name } = machine.user()
      if (code === "EACCES" || code === "EPERM") {
        return failure(`${about}: ${name} may not open it`, `usermod --append --groups ${group} ${name}`)
      }
      if (code === "EBUSY") return warning(`${about}: another program keeps it to itself`, `fuser -v ${path}`)
      return failure(`${about}: ${code}`, "unplug it and plug it in again, then: dmesg | tail")
    }
    if (probed.success.formats.length === 0) return undefined
    const held = yield* holders.of(path)
    const others = held.filter(({ pid }) => isOthers(pid))
    if (others.length > 0) {
      const names = others.map(({ pid, program }) => `${program} (${pid})`).join(", ")
      return warning(`${about}: ${names} has it open`, `stop it: kill ${others.map(({ pid }) => pid).join(" ")}`)
    }
    return ok(`${about}${held.length > 0 ? ": this service has it" : ""}`)
  })

  const lookAtCameras = Effect.gen(function* () {
    if (!cameras.v4l2) return ok("cameras.v4l2 is false: none is looked for")
    const names = files.names(join(files.sys, "class/video4linux")).filter((name) => /^video\d+$/.test(name))
    const found = yield* Effect.forEach(names.sort(), lookAt, { concurrency: "unbounded" })
    const seen = found.filter((one): one is Finding => one !== undefined)
    return seen.length === 0 ? ok("no V4L2 camera is plugged in") : together(seen)
  })

  /** What decides when the first camera comes, so it counts without one. */
  const lookAtGroups = Effect.gen(function* () {
    const { groups, id, name } = machine.user()
    if (id === 0) return ok("root may open every camera")
    const line = (yield* Effect.orElseSucceed(disk.text("/etc/group"), () => ""))
      .split("\n")
      .find((one) => one.startsWith(`${group}:`))
    const number = Number(line?.split(":")[2])
    if (line !== undefined && groups.includes(number)) return ok(`${name} is in the group ${group}`)
    return failure(
      line === undefined
        ? `there is no group ${group}`
        : `${name} is not in the group ${group}, and may open no camera`,
      `usermod --append --groups ${group} ${name}, then start the service again`
    )
  })

  return [
    { name: "cameras", look: lookAtCameras },
    { name: "groups", look: lookAtGroups }
  ] satisfies ReadonlyArray<Check>
})

/** Several findings as one: the worst of them, and each way to mend. */
export const together = (found: ReadonlyArray<Finding>): Finding => {
  const mends = [...new Set(found.flatMap(({ mend }) => (mend === undefined ? [] : [mend])))]
  return {
    severity: worst(found),
    evidence: found.map(({ evidence }) => evidence).join("\n"),
    ...(mends.length === 0 ? {} : { mend: mends.join("\n") })
  }
}
