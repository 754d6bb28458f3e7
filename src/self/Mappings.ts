/** Memory of a process that holds a piece of a file. */
export interface Mapping {
  /** its line in `/proc/PID/maps` */
  readonly head: string
  readonly start: bigint
  /** bytes */
  readonly length: number
}

/** `55d0c000-55d3f000 r-xp 0000c000 08:01 4242  /usr/bin/node`: readable, never written, private, of a file (it has an inode) */
const ofFile = /^([0-9a-f]+)-([0-9a-f]+) r-[x-]p [0-9a-f]+ \S+ [1-9]/
/** The lines of `/proc/PID/maps` that stand for code and constants of files. */
export const fileMappings = (maps: string): ReadonlySet<string> =>
  new Set(maps.split("\n").filter((line) => ofFile.test(line)))

const ofAnything = /^[0-9a-f]+-[0-9a-f]+ /

/**
 * The mappings in a process's `/proc/PID/smaps` (proc_pid_smaps(5)) of which every page is as it lies on disk, and some are
 * in memory. Pages that were written once are in none: data is relocated before it is made read-only.
 */
export const unchangedMappings = (smaps: string): ReadonlyArray<Mapping> => {
  const found: Array<Mapping> = []
  let current: Mapping | undefined
  let resident = 0
  let changed = 0
  const take = (): void => {
    if (current !== undefined && resident > 0 && changed === 0) found.push(current)
  }
  for (const line of smaps.split("\n")) {
    if (ofAnything.test(line)) {
      take()
      const [, start, end] = ofFile.exec(line) ?? []
      current =
        start === undefined || end === undefined
          ? undefined
          : { head: line, start: BigInt(`0x${start}`), length: Number.parseInt(end, 16) - Number.parseInt(start, 16) }
      resident = 0
      changed = 0
    } else if (line.startsWith("Rss:")) resident = kilobytes(line)
    else if (line.startsWith("Private_Dirty:") || line.startsWith("Anonymous:")) changed += kilobytes(line)
  }
  take()
  return found
}

/** `Rss:    4264 kB` */
const kilobytes = (line: string): number => Number(/\d+/.exec(line)?.[0] ?? 0)
