import type { KernelCalls } from "../../../src/ground/KernelCalls.ts"
import { answerControls, makeMemory, type PlayedControl } from "../../../testing/V4l2Controls.ts"

const ENODEV = 19

/** Cameras by their paths, and the system calls that reach them, each of which may be made to hang. */
export const fakeCameras = (cameras: Readonly<Record<string, ReadonlyArray<PlayedControl>>>) => {
  const open = new Map<number, string>()
  const memory = makeMemory()
  const hanging = new Map<string, Array<() => void>>()
  const gone = new Set<string>()
  const log: Array<string> = []
  const inFlight = new Map<string, number>()
  let most = 0
  let lastFd = 10
  let onHang: (path: string) => void = () => undefined

  const answer = (path: string, request: number, argument: Buffer): boolean =>
    !gone.has(path) && answerControls(cameras[path] ?? [], memory, (what) => log.push(what))(request, argument)

  const calls: KernelCalls["Service"] = {
    open: async (path) => {
      if (cameras[path] === undefined) throw Object.assign(new Error("no such node"), { code: "ENOENT" })
      open.set(++lastFd, path)
      return lastFd
    },
    close: (fd) => void open.delete(fd),
    ioctls: async () => ({
      ioctl: (fd) => () => (gone.has(open.get(fd) ?? "") ? ENODEV : 0),
      ioctlAsync: async (fd, request, argument) => {
        const path = open.get(fd)
        if (path === undefined) throw new Error("the node is closed")
        inFlight.set(path, (inFlight.get(path) ?? 0) + 1)
        most = Math.max(
          most,
          [...inFlight.values()].reduce((sum, count) => sum + count, 0)
        )
        const waiting = hanging.get(path)
        if (waiting !== undefined) {
          await new Promise<void>((resolve) => {
            waiting.push(resolve)
            onHang(path)
          })
        }
        inFlight.set(path, (inFlight.get(path) ?? 0) - 1)
        // one that hung has failed in the end
        return waiting === undefined && answer(path, request, argument)
      },
      addressOf: memory.addressOf
    })
  }

  return {
    calls,
    log,
    unplug: (path: string) => void gone.add(path),
    /** from now on no request of this camera ends; `told` hears of each */
    hang: (path: string, told: (path: string) => void) => {
      hanging.set(path, [])
      onHang = told
    },
    /** what hangs fails, and the camera answers again */
    revive: (path: string) => {
      const waiting = hanging.get(path) ?? []
      hanging.delete(path)
      for (const end of waiting) end()
    },
    hangingNow: () => [...hanging.values()].flat().length,
    /** the most requests that were ever under way at once */
    most: () => most,
    openNodes: () => [...open.values()]
  }
}
