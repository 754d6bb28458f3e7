import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { Refused } from "./MemoryFiles.ts"

/** The methods of `Disk`, those of an open file with a name of their own. */
export type Call =
  | "open"
  | "create"
  | "read"
  | "append"
  | "sync"
  | "text"
  | "state"
  | "states"
  | "realPath"
  | "names"
  | "walk"
  | "rename"
  | "link"
  | "copy"
  | "remove"
  | "removeAll"
  | "makeFolder"
  | "setMode"
  | "touch"
  | "mayWrite"
  | "space"
  | "watch"
  | "lock"
  | "temporaryFolder"

/** What a disk can suffer from. */
export type Fault =
  /** ENOSPC once `freeBytes` (0) more are written; a full disk makes no file either */
  | { readonly name: "full"; readonly freeBytes?: number }
  /** EROFS for whatever changes something; with `at` only where its path has that in it */
  | { readonly name: "read-only"; readonly at?: string }
  /** the same for what is synced, but who asks whether he may write is told that he may: an ext4 that failed (Linux 6.12) */
  | { readonly name: "failed" }
  /** ENOENT below this folder, which is where the disk was mounted */
  | { readonly name: "away"; readonly at: string }
  /** the same once all files have so many bytes, and unlike a full one it says so (`Disk.space`) */
  | { readonly name: "small"; readonly bytes: number }
  /** every call (or these) takes so long, of the test's clock */
  | { readonly name: "slow"; readonly by: Duration.Input; readonly calls?: ReadonlyArray<Call> }
  /** a call does not return until the fault is taken back; with `at` only where its path has that in it */
  | { readonly name: "hung"; readonly calls?: ReadonlyArray<Call>; readonly at?: string }
  /** EIO, so many times or always; what was to be synced is not, and the next sync of the same file says nothing of it */
  | { readonly name: "sync fails"; readonly at?: string; readonly times?: number }
  /** EIO for what is read of an open file */
  | { readonly name: "no reads" }
  /** ENOSPC (man 2 inotify_add_watch) */
  | { readonly name: "no watches" }
  /** EIO: what has a name keeps it */
  | { readonly name: "no renames" }
  /** EPERM: the disk is formatted with FAT */
  | { readonly name: "no links" }

/** A fault that is on. */
export interface Suffered {
  /** returns when a call has met the fault, from when it was set on */
  readonly met: Effect.Effect<void>
  readonly takeBack: Effect.Effect<void>
}

interface Active {
  readonly fault: Fault
  readonly met: Deferred.Deferred<void>
  readonly over: Deferred.Deferred<void>
  /** bytes that all files may have */
  readonly capacity: number
  /** how often it is met until it is over */
  left: number
}

const changing: ReadonlySet<Call> = new Set([
  "create",
  "append",
  "rename",
  "link",
  "copy",
  "remove",
  "removeAll",
  "makeFolder",
  "setMode",
  "touch",
  "mayWrite",
  "temporaryFolder"
])
const takingSpace: ReadonlySet<Call> = new Set(["create", "makeFolder", "temporaryFolder", "link", "copy"])

/** What a disk holds that suffers from nothing. */
const unlimited = 1e15

/** `used` counts the bytes of all files. */
export const makeDiskFaults = (used: () => number) => {
  const active = new Set<Active>()

  const meets = ({ capacity, fault, left }: Active, call: Call, path: string): boolean => {
    if (left === 0) return false
    if ("at" in fault && fault.at !== undefined && !path.includes(fault.at)) return false
    switch (fault.name) {
      case "full":
      case "small":
        return takingSpace.has(call) && used() >= capacity
      case "read-only":
        return changing.has(call)
      case "failed":
        return call === "sync" || (call !== "mayWrite" && changing.has(call))
      case "away":
        return call !== "watch"
      case "slow":
      case "hung":
        return fault.calls?.includes(call) ?? true
      case "sync fails":
        return call === "sync"
      case "no reads":
        return call === "read"
      case "no watches":
        return call === "watch"
      case "no renames":
        return call === "rename"
      case "no links":
        return call === "link"
    }
  }

  /** before a call: waits, but not for what who calls does not live to see; or throws what the disk answers */
  const meet = (call: Call, path: string, killed: Effect.Effect<void>): Effect.Effect<void> =>
    Effect.gen(function* () {
      for (const one of active) {
        const { fault, met, over } = one
        if (!meets(one, call, path)) continue
        Deferred.doneUnsafe(met, Effect.void)
        one.left--
        if (fault.name === "hung") yield* eitherOf(Deferred.await(over), killed)
        else if (fault.name === "slow") yield* eitherOf(Effect.sleep(fault.by), killed)
        else throw new Refused(codes[fault.name], call, path)
      }
    })

  /** how many of these bytes there is room for */
  const room = (length: number): number => {
    let left = length
    for (const { capacity, fault, met } of active) {
      if (fault.name !== "full" && fault.name !== "small") continue
      const free = Math.max(0, capacity - used())
      if (free < length) Deferred.doneUnsafe(met, Effect.void)
      left = Math.min(left, free)
    }
    return left
  }

  const suffer = (fault: Fault): Effect.Effect<Suffered> =>
    Effect.sync(() => {
      const one: Active = {
        fault,
        met: Deferred.makeUnsafe(),
        over: Deferred.makeUnsafe(),
        capacity: capacityOf(fault, used),
        left: "times" in fault ? (fault.times ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY
      }
      active.add(one)
      return {
        met: Deferred.await(one.met),
        takeBack: Effect.sync(() => {
          active.delete(one)
          Deferred.doneUnsafe(one.over, Effect.void)
        })
      }
    })

  /** what the disk says that it holds */
  const size = (): number =>
    Math.min(unlimited, ...[...active].map(({ capacity, fault }) => (fault.name === "small" ? capacity : unlimited)))

  return { meet, room, size, suffer }
}

const capacityOf = (fault: Fault, used: () => number): number => {
  if (fault.name === "small") return fault.bytes
  return fault.name === "full" ? used() + (fault.freeBytes ?? 0) : Number.POSITIVE_INFINITY
}

/** In a call, which cannot be interrupted. */
const eitherOf = (one: Effect.Effect<void>, other: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.raceFirst(Effect.interruptible(one), Effect.interruptible(other))

const codes = {
  full: "ENOSPC",
  small: "ENOSPC",
  "read-only": "EROFS",
  failed: "EROFS",
  away: "ENOENT",
  "sync fails": "EIO",
  "no reads": "EIO",
  "no watches": "ENOSPC",
  "no renames": "EIO",
  "no links": "EPERM"
} as const
