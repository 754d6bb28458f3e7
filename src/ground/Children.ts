import * as NodeChildProcessSpawner from "@effect/platform-node/NodeChildProcessSpawner"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ChildProcess from "effect/process/ChildProcess"
import { ChildProcessSpawner, make } from "effect/process/ChildProcessSpawner"
import { readFileSync } from "node:fs"
import { totalmem } from "node:os"

/**
 * A child must not outlive us, whatever ends us. `setpriv` (util-linux; Node has no means for it) has the kernel send
 * SIGKILL when the thread that forked is gone; the shell's check closes the gap in which we died before that was asked
 * for. Both exec in place, so the process that we spawned is the program. What comes after `$1` is argv, never shell text.
 *
 * Nor may it take the machine with it. What it may allocate is bounded (RLIMIT_DATA: heap, anonymous memory and stacks, no
 * files and no code); who set a lower bound for us keeps it. A thread's stack counts whole, used or not, 8 MiB each by
 * default: it gets 2. Measured (VmData): FFmpeg 5.1 that encodes 1080p with 16 threads, 50 in all, 578 MB, and 277 with such
 * stacks; one that decodes with 16 as well, 69 in all, 1099 and 681; MediaMTX at rest 87 either way. Where all of them
 * together need too much, the kernel takes one of them before us (oom_score_adj, proc(5)); a score that is higher, as a pod
 * may have, stays.
 */
const script = [
  '[ "$PPID" = "$0" ] || exit 1',
  '{ ulimit -d "$1"; ulimit -S -s 2048; read -r score </proc/self/oom_score_adj',
  '[ "$score" -ge 500 ] || echo 500 >/proc/self/oom_score_adj; } 2>/dev/null',
  'shift; exec "$@"'
].join("\n")

/** Ours, in bytes; Node does not tell it. */
const ownDataLimit = (): number => {
  const [, soft = ""] = /^Max data size\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? []
  return soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft)
}

/** So much a program may need that works well, whatever the machine has. */
const leastLimit = 2 ** 30

/**
 * One may have three quarters of what there is: pictures of 4K cannot be encoded with 400 MB (tried). In KiB, of bytes that
 * the machine has and that we may have.
 */
export const dataLimit = (machine: number, own: number): number =>
  Math.floor(Math.min(Math.max((machine * 3) / 4, leastLimit), own) / 1024)

/** The machine's, or what of it the container may have. */
const machineMemory = (): number => {
  const constrained = process.constrainedMemory()
  return Math.min(totalmem(), constrained > 0 ? constrained : Number.POSITIVE_INFINITY)
}

const tie = (command: ChildProcess.Command, limit: number): ChildProcess.Command =>
  command._tag === "StandardCommand"
    ? ChildProcess.make(
        "setpriv",
        [
          ...["--pdeathsig", "KILL", "--", "/bin/sh", "-c", script, String(process.pid), String(limit)],
          ...[command.command, ...command.args]
        ],
        command.options
      )
    : command

/** What this spawner starts, the kernel ends with us. */
export const tied = ({ spawn }: ChildProcessSpawner["Service"]) => {
  const limit = dataLimit(machineMemory(), ownDataLimit())
  return make((command) => spawn(tie(command, limit)))
}

/**
 * Node's processes, ended with us. A program that cannot be run ends with status 126 or 127, as in a shell (POSIX, 2.8.2).
 */
export const layer = Layer.effect(ChildProcessSpawner, Effect.map(ChildProcessSpawner, tied)).pipe(
  Layer.provide(NodeChildProcessSpawner.layer),
  Layer.provide([NodeFileSystem.layer, NodePath.layer])
)
