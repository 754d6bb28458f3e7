import * as Effect from "effect/Effect"
import { mkdir, rm, symlink, unlink, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { classEntry, ownFolder, type SysfsNode, sysfsOf } from "../../../testing/Sysfs.ts"
import { temporaryFolder } from "../../storage/Workbench.ts"

/** A sysfs and a /dev of real files in a folder of their own, laid out as the kernel does. */
export const fakeKernel = Effect.map(temporaryFolder, (root) => {
  const sys = join(root, "sys")
  const dev = join(root, "dev")
  const plugged = new Map<string, SysfsNode>()

  /** What sysfs tells of a node. */
  const describe = (node: string, there: SysfsNode) =>
    Effect.promise(async () => {
      plugged.set(node, there)
      await mkdir(dev, { recursive: true })
      for (const [path, content] of sysfsOf(sys, node, there)) {
        await mkdir(dirname(path), { recursive: true })
        await ("text" in content ? writeFile(path, content.text) : symlink(content.target, path))
      }
    })

  /** The node comes into /dev: the event. */
  const appear = (node: string) => Effect.promise(() => writeFile(join(dev, node), ""))

  const plug = (node: string, device: SysfsNode) => Effect.andThen(describe(node, device), appear(node))

  /** The node is gone from /dev and from the class; `dev: false` where /dev is made by hand. */
  const unplug = (node: string, { dev: removed = true } = {}) =>
    Effect.promise(async () => {
      if (removed) await unlink(join(dev, node))
      await unlink(classEntry(sys, node))
      const there = plugged.get(node)
      if (there !== undefined) await rm(ownFolder(sys, node, there), { recursive: true })
    })

  const prepare = Effect.promise(async () => {
    await mkdir(join(sys, "class"), { recursive: true })
    await mkdir(dev, { recursive: true })
  })

  return { root, sys, dev, describe, appear, plug, unplug, prepare }
})
