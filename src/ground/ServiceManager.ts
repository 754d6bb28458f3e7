import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { KoffiFunc } from "koffi"

/** What systemd tells a service of itself (sd_notify(3), sd_watchdog_enabled(3)). It is for this process alone, no child's. */
export const managerVariables = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] as const

/** Who started the service cannot be told anything. */
export class NoManager extends Schema.TaggedError<NoManager>()("NoManager", { detail: Schema.String }) {
  override get message(): string {
    return `the service manager cannot be told anything: ${this.detail}`
  }
}

/** systemd, or whatever started the service and wants to hear of it. */
export interface ServiceManager {
  /** assignments such as `READY=1`, in one datagram: whether they were taken */
  readonly tell: (...assignments: ReadonlyArray<string>) => Effect.Effect<boolean>
  /** it ends the service where it hears no `WATCHDOG=1` for so long */
  readonly watchdog: Duration.Duration | undefined
}

/** sys/socket.h, the same on x86-64 and arm64. Who does not read at once loses what is told: we wait for nobody. */
const AF_UNIX = 1
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000
const MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000
const longestPath = 107

/** `struct sockaddr_un` (unix(7)): a path with a zero behind it, or a name in the abstract space, which begins with one. */
const addressOf = (name: string): Buffer | undefined => {
  const path = Buffer.from(name)
  if (!/^[/@]./.test(name) || path.length > longestPath) return undefined
  const address = Buffer.alloc(2 + path.length + (name.startsWith("/") ? 1 : 0))
  address.writeUInt16LE(AF_UNIX, 0)
  path.copy(address, 2)
  if (name.startsWith("@")) address[2] = 0
  return address
}

/** Of the C library that Node itself runs on; Node has no datagrams between processes of one machine. */
const loadCalls = async () => {
  const { errno, load } = await import("koffi")
  const libc = load(null)
  return {
    errno,
    socket: libc.func("int socket(int domain, int type, int protocol)") as KoffiFunc<
      (domain: number, type: number, protocol: number) => number
    >,
    sendto: libc.func(
      "long sendto(int fd, const void *bytes, size_t length, int flags, const void *to, uint32_t tolen)"
    ) as KoffiFunc<(fd: number, bytes: Buffer, length: number, flags: number, to: Buffer, tolen: number) => number>,
    close: libc.func("int close(int fd)") as KoffiFunc<(fd: number) => number>
  }
}

/** Undefined: nobody wants to hear. Loads koffi (12 ms) where somebody does. */
export const connectManager = Effect.fnUntraced(function* (
  environment: Readonly<Record<string, string | undefined>>
): Effect.fn.Return<ServiceManager | undefined, NoManager, Scope.Scope> {
  const name = environment["NOTIFY_SOCKET"] ?? ""
  if (name === "") return undefined
  const address = addressOf(name)
  if (address === undefined)
    return yield* new NoManager({ detail: `NOTIFY_SOCKET is ${name}, no socket of this machine` })
  const libc = yield* Effect.tryPromise({
    try: loadCalls,
    catch: (cause) => new NoManager({ detail: String(cause) })
  })
  const fd = yield* Effect.acquireRelease(
    Effect.suspend(() => {
      const made = libc.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0)
      return made < 0 ? Effect.fail(new NoManager({ detail: `errno ${libc.errno()}` })) : Effect.succeed(made)
    }),
    (made) => Effect.sync(() => void libc.close(made))
  )
  const tell = (...assignments: ReadonlyArray<string>) =>
    Effect.sync(() => {
      const bytes = Buffer.from(assignments.join("\n"))
      return libc.sendto(fd, bytes, bytes.length, MSG_DONTWAIT_NOSIGNAL, address, address.length) === bytes.length
    })
  const microseconds = Number(environment["WATCHDOG_USEC"])
  const isMeant = [undefined, String(process.pid)].includes(environment["WATCHDOG_PID"])
  const watchdog = microseconds > 0 && isMeant ? Duration.micros(BigInt(microseconds)) : undefined
  return { tell, watchdog }
})
