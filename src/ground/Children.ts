import * as NodeChildProcessSpawner from "@effect/platform-node/NodeChildProcessSpawner"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ChildProcess from "effect/process/ChildProcess"
import { ChildProcessSpawner, make } from "effect/process/ChildProcessSpawner"

/**
 * A child must not outlive us, whatever ends us. `setpriv` (util-linux; Node has no means for it) has the kernel send
 * SIGKILL when the thread that forked is gone; the shell's check closes the gap in which we died before that was asked
 * for. Both exec in place, so the process that we spawned is the program. What comes after `$0` is argv, never shell text.
 */
const unlessOrphaned = '[ "$PPID" = "$0" ] && exec "$@"'

const tie = (command: ChildProcess.Command): ChildProcess.Command =>
  command._tag === "StandardCommand"
    ? ChildProcess.make(
        "setpriv",
        [
          ...["--pdeathsig", "KILL", "--", "/bin/sh", "-c", unlessOrphaned, String(process.pid)],
          ...[command.command, ...command.args]
        ],
        command.options
      )
    : command

/** What this spawner starts, the kernel ends with us. */
export const tied = ({ spawn }: ChildProcessSpawner["Service"]) => make((command) => spawn(tie(command)))

/**
 * Node's processes, ended with us. A program that cannot be run ends with status 126 or 127, as in a shell (POSIX, 2.8.2).
 */
export const layer = Layer.effect(ChildProcessSpawner, Effect.map(ChildProcessSpawner, tied)).pipe(
  Layer.provide(NodeChildProcessSpawner.layer),
  Layer.provide([NodeFileSystem.layer, NodePath.layer])
)
