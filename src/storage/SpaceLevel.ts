import type { Live } from "../config/LiveSettings.ts"
import type { DiskSpace } from "../ground/Disk.ts"

/** How full a disk is, and what that means. Pure. */

/** From much room to none; RESERVE: no more than what is never used is left. */
export type SpaceLevel = "ENOUGH" | "LOW" | "REFUSING" | "RESERVE"

type Limits = Pick<Live["storage"], "warn_percent" | "refuse_percent" | "reserve_mb">

/** Rounded up, as df(1) does it, but to hundredths. */
export const usedPercent = ({ available, used }: Pick<DiskSpace, "available" | "used">): number =>
  used === 0 ? 0 : Math.ceil((used / (used + available)) * 10_000) / 100

export const reserveBytes = ({ reserve_mb }: Pick<Limits, "reserve_mb">): number => reserve_mb * 1024 ** 2

const order: ReadonlyArray<SpaceLevel> = ["ENOUGH", "LOW", "REFUSING", "RESERVE"]
export const isAtLeast = (level: SpaceLevel, other: SpaceLevel): boolean => order.indexOf(level) >= order.indexOf(other)

/** Whether as much is used; 100 % is no limit. */
export const reaches = (percent: number, limit: number, slack = 0): boolean => limit < 100 && percent >= limit - slack

/**
 * The level now, after this one: it falls a little later than it rises, by a hundredth of the disk or by as much as the
 * reserve, so that a disk which is kept at a limit does not go to and fro.
 */
export const levelAfter = (before: SpaceLevel, space: DiskSpace, limits: Limits): SpaceLevel => {
  const percent = usedPercent(space)
  const slack = (level: SpaceLevel) => (isAtLeast(before, level) ? 1 : 0)
  if (space.available < reserveBytes(limits) * (1 + slack("RESERVE"))) return "RESERVE"
  if (reaches(percent, limits.refuse_percent, slack("REFUSING"))) return "REFUSING"
  return reaches(percent, limits.warn_percent, slack("LOW")) ? "LOW" : "ENOUGH"
}
