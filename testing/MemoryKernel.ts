import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { DiskError } from "../src/ground/DiskError.ts"
import { KernelCalls } from "../src/ground/KernelCalls.ts"
import { KernelFiles } from "../src/ground/KernelFiles.ts"
import { join, makeTree } from "./KernelTree.ts"
import { classEntry, ownFolder, type SysfsNode, sysfsOf } from "./Sysfs.ts"
import { makeMemory, type PlayedMemory } from "./V4l2Controls.ts"

/** What answers behind a node. */
export interface PlayedDevice {
  readonly mayOpen: () => boolean
  /** when it answers */
  readonly answers: () => Promise<void>
  readonly ioctl: (request: number, argument: Buffer) => number
  /** for what may wait for the device: whether it did it */
  readonly request: (request: number, argument: Buffer) => boolean
}

/** The side of a machine's kernel that the service does not see. */
export interface MemoryKernel {
  readonly files: KernelFiles["Service"]
  readonly calls: KernelCalls["Service"]
  readonly memory: PlayedMemory
  /** the node with this number, or the lowest that is free; its path. All who watch have been told. */
  readonly add: (there: SysfsNode, device: PlayedDevice, number?: number) => string
  readonly remove: (path: string, there: SysfsNode) => void
  readonly addRenderer: (node: string) => void
  /** with what it knew */
  readonly stopUdev: () => void
  readonly startUdev: () => void
  /** its mode has been set, which those who watch are told */
  readonly touch: (path: string) => void
  /** a process that has the node open, until what is given is called */
  readonly run: (program: string, path: string) => () => void
  /** nodes that the service has open, each as often as it has */
  readonly opened: () => ReadonlyArray<string>
  /** opens that have not ended */
  readonly opening: () => number
}

const roots = { dev: "/dev", sys: "/sys", proc: "/proc" }
const udev = "/run/udev"
/** Of linux/errno.h. */
const ENODEV = 19
/** Major number of V4L2's nodes (devices.txt); the minor is the node's. */
const deviceOf = (number: number): bigint => BigInt(81 * 256 + number)
/** Major number of graphics cards' nodes (devices.txt), minor of the first render node. */
const rendererDevice = BigInt(226 * 256 + 128)
/** Of the service itself. */
const ownPid = 1
const firstPid = 812

const refusal = (code: string): Error => Object.assign(new Error(code), { code })
const pathOf = (number: number): string => join(roots.dev, `video${number}`)
const nodeOf = (path: string): string => path.slice(roots.dev.length + 1)

/** /dev, sysfs, /proc and the calls on nodes, in memory. */
export const makeKernel = (): MemoryKernel => {
  const tree = makeTree()
  for (const folder of [roots.dev, join(roots.sys, "class")]) tree.makeFolder(folder)
  const startUdev = () => tree.put(join(udev, "control"), { text: "" })
  startUdev()
  tree.put(join(roots.proc, "self"), { target: String(ownPid) })
  const memory = makeMemory()
  const watches = new Map<string, Set<Queue.Queue<string, DiskError>>>()
  const plugged = new Map<string, PlayedDevice>()
  const open = new Map<number, { readonly path: string; readonly device: PlayedDevice }>()
  let opening = 0
  let lastFd = 2
  let lastPid = firstPid - 1

  /** inotify: the same event may come several times. */
  const tell = (path: string): void => {
    for (const told of watches.get(roots.dev) ?? []) Queue.offerUnsafe(told, nodeOf(path))
  }

  const files = KernelFiles.of({
    ...roots,
    exists: tree.exists,
    file: tree.file,
    text: tree.text,
    target: tree.target,
    names: tree.names,
    read: (path) => Promise.resolve(tree.text(path)),
    watch: Effect.fnUntraced(function* (folder) {
      if (!tree.exists(folder)) return yield* new DiskError({ code: "ENOENT", cause: refusal("ENOENT") })
      const told = yield* Queue.unbounded<string, DiskError>()
      const all = watches.get(folder) ?? new Set()
      watches.set(folder, all.add(told))
      yield* Effect.addFinalizer(() => Effect.sync(() => all.delete(told)))
      return told
    })
  })

  const calls = KernelCalls.of({
    open: async (path) => {
      const device = plugged.get(path)
      if (device === undefined) throw refusal(tree.exists(path) ? "ENXIO" : "ENOENT")
      if (!device.mayOpen()) throw refusal("EACCES")
      opening++
      try {
        await device.answers()
      } finally {
        opening--
      }
      // pulled out meanwhile
      if (plugged.get(path) !== device) throw refusal("ENODEV")
      open.set(++lastFd, { path, device })
      return lastFd
    },
    close: (fd) => void open.delete(fd),
    ioctls: async () => {
      const opened = (fd: number) => {
        const node = open.get(fd)
        return node !== undefined && plugged.get(node.path) === node.device ? node.device : undefined
      }
      return {
        ioctl: (fd) => (request, argument) => opened(fd)?.ioctl(request, argument) ?? ENODEV,
        ioctlAsync: async (fd, request, argument) => opened(fd)?.request(request, argument) ?? false,
        addressOf: memory.addressOf
      }
    }
  })

  const lowestFree = (): number => {
    let number = 0
    while (plugged.has(pathOf(number))) number++
    return number
  }

  return {
    files,
    calls,
    memory,
    add: (there, device, number = lowestFree()) => {
      const path = pathOf(number)
      if (plugged.has(path)) throw new Error(`${path} is another device's`)
      for (const [file, content] of sysfsOf(roots.sys, nodeOf(path), there)) tree.put(file, content)
      tree.put(path, { device: deviceOf(number) })
      if (tree.exists(udev)) tree.put(join(udev, "data", `c81:${number}`), { text: "I:1\n" })
      plugged.set(path, device)
      // it is made, and then its mode is set
      tell(path)
      tell(path)
      return path
    },
    remove: (path, there) => {
      plugged.delete(path)
      tree.remove(path)
      tree.remove(classEntry(roots.sys, nodeOf(path)))
      tree.remove(ownFolder(roots.sys, nodeOf(path), there))
      tell(path)
    },
    stopUdev: () => tree.remove(udev),
    startUdev,
    addRenderer: (node) => tree.put(join(roots.dev, "dri", node), { device: rendererDevice }),
    touch: tell,
    run: (program, path) => {
      const folder = join(roots.proc, String(++lastPid))
      tree.put(join(folder, "comm"), { text: `${program}\n` })
      tree.put(join(folder, "fd/3"), { target: path })
      return () => tree.remove(folder)
    },
    opened: () => [...open.values()].map(({ path }) => path),
    opening: () => opening
  }
}
