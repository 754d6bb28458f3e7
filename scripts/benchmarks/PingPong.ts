import { existsSync, readFileSync, writeFileSync } from "node:fs"

const setting = "/proc/sys/net/ipv4/tcp_pingpong_thresh"
const [, packaged = ""] =
  /^-net\.ipv4\.tcp_pingpong_thresh = (\d+)$/m.exec(
    readFileSync(new URL("../../packaging/sysctl.conf", import.meta.url), "utf8")
  ) ?? []

/**
 * Sets the kernel as the package does, until it is disposed of; undefined where it is so, has no such setting, or is not ours to
 * set.
 */
export const asPackaged = (): Disposable | undefined => {
  if (!existsSync(setting)) return undefined
  const before = readFileSync(setting, "utf8").trim()
  if (before === packaged) return undefined
  try {
    writeFileSync(setting, packaged)
  } catch {
    return undefined
  }
  return { [Symbol.dispose]: () => writeFileSync(setting, before) }
}
