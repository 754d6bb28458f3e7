import * as Context from "effect/Context"

/** Where the kernel's file systems are; a test puts its own there. */
export const Roots = Context.Reference<{
  /** where the nodes `videoN` are */
  readonly dev: string
  /** where sysfs is mounted */
  readonly sys: string
  /** where the processes are */
  readonly proc: string
}>("camera-service/device/v4l2/Roots", { defaultValue: () => ({ dev: "/dev", sys: "/sys", proc: "/proc" }) })
