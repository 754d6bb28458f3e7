import * as Effect from "effect/Effect"
import { join } from "node:path"
import { listeners } from "../config/Ports.ts"
import { Settings } from "../config/Settings.ts"
import { Holders } from "../device/v4l2/Holders.ts"
import { KernelFiles } from "../ground/KernelFiles.ts"
import { listenersOn } from "../ground/SocketTable.ts"
import { together } from "./CameraChecks.ts"
import { type Check, failure, ok } from "./Check.ts"
import type { Folder } from "./Folder.ts"
import { makeOwnership } from "./Ownership.ts"

/**
 * Whether the TCP ports of the service and its MediaMTX are free, or theirs already. `ours`: processes that are known to be
 * the service's; only for what none of them has, all processes are looked at.
 */
export const makePortCheck = Effect.fnUntraced(function* ({ service }: Folder, ours: ReadonlyArray<number>) {
  const { boot } = yield* Settings
  const files = yield* KernelFiles
  const holders = yield* Holders
  const isOthers = (yield* makeOwnership)(service)

  const lookAt = Effect.fnUntraced(function* (
    { key, port }: { readonly key: string; readonly port: number },
    { known, tables }: { readonly known: ReadonlySet<string>; readonly tables: ReadonlyArray<string> }
  ) {
    const sockets = tables.flatMap((table) => listenersOn(table, port)).map((inode) => `socket:[${inode}]`)
    const about = `${port} (${key})`
    if (sockets.length === 0) return { about, state: "free" } as const
    if (sockets.every((socket) => known.has(socket))) return { about, state: "ours" } as const
    const found = yield* Effect.forEach(sockets, holders.of)
    const others = found.flat().filter(({ pid }) => isOthers(pid))
    if (others.length > 0) {
      const names = others.map(({ pid, program }) => `${program} (${pid})`).join(", ")
      return {
        about,
        state: "taken",
        finding: failure(`${about}: ${names} listens there`, `${elsewhere} ${key}`)
      } as const
    }
    // whose it is sees only who has its user's rights, or root's
    if (found.flat().length === 0 && service === undefined) {
      const unseen = `${about}: a program of another user listens there`
      return {
        about,
        state: "taken",
        finding: failure(unseen, `${elsewhere} ${key} (ss -ltnp tells it to root)`)
      } as const
    }
    return { about, state: "ours" } as const
  })

  const look = Effect.gen(function* () {
    const tables = ["tcp", "tcp6"].map((name) => files.text(join(files.proc, "net", name)) ?? "")
    const folders = ours.map((pid) => join(files.proc, String(pid), "fd"))
    const links = folders.flatMap((folder) => files.names(folder).map((fd) => files.target(join(folder, fd)) ?? ""))
    const known = new Set(links)
    const seen = yield* Effect.forEach(listeners(boot), (listener) => lookAt(listener, { known, tables }))
    const taken = seen.flatMap((one) => (one.state === "taken" ? [one.finding] : []))
    if (taken.length > 0) return together(taken)
    const named = (state: "free" | "ours") => seen.flatMap((one) => (one.state === state ? [one.about] : [])).join(", ")
    const parts = [named("ours") && `this service has ${named("ours")}`, named("free") && `free: ${named("free")}`]
    return ok(parts.filter((part) => part !== "").join("; "))
  })
  return { name: "ports", look } satisfies Check
})

const elsewhere = "stop it, or set another"
