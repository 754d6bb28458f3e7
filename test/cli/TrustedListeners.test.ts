import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { hereIn, trustedAcceptors, trustedListeners } from "../../src/cli/TrustedListeners.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { KernelFiles } from "../../src/ground/KernelFiles.ts"
import { Machine } from "../../src/ground/Machine.ts"
import { NameUnknown, Resolver } from "../../src/ground/Resolver.ts"
import { temporaryFolder } from "../storage/Workbench.ts"

const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
/** A line of /proc/net/tcp: an address and a port in hexadecimal, a state, whose it is. */
const line = (local: string, state: string, user: number, remote = "00000000:0000", inode = "1234") =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000 ${String(user).padStart(5)}        0 ${inode} 1`

const service = 990
const stranger = 1001
const port = "1F42"
const any6 = "0".repeat(32)

/** Who is trusted to listen at 127.0.0.1, port 8002, or to have taken this process's connection there, where these sockets are. */
const listeners = (
  tcp: ReadonlyArray<string>,
  tcp6: ReadonlyArray<string> = [],
  look: typeof trustedListeners | typeof trustedAcceptors = trustedListeners
) =>
  Effect.gen(function* () {
    const proc = yield* temporaryFolder
    mkdirSync(join(proc, "net"))
    writeFileSync(join(proc, "net/tcp"), [head, ...tcp, ""].join("\n"))
    writeFileSync(join(proc, "net/tcp6"), [head, ...tcp6, ""].join("\n"))
    mkdirSync(join(proc, "self/fd"), { recursive: true })
    symlinkSync("socket:[77]", join(proc, "self/fd/5"))
    symlinkSync("/dev/null", join(proc, "self/fd/0"))
    const ground = Layer.mergeAll(
      KernelFiles.layerAt({ dev: proc, sys: proc, proc }),
      Layer.mock(Disk, { rights: () => Effect.succeed({ owner: service, mode: 0o700 }) }),
      Layer.effect(
        Machine,
        Effect.map(Machine, (real) => Machine.of({ ...real, user: () => ({ name: "ann", id: 1000, groups: [1000] }) }))
      ).pipe(Layer.provide(Machine.layer))
    )
    return yield* Effect.provide(look({ hosts: ["127.0.0.1"], port: 8002, folder: "/data" }), ground)
  })

describe("who listens in the service's place", () => {
  it.effect("may be the service's user, root, and who asks", () =>
    Effect.gen(function* () {
      for (const user of [service, 0, 1000]) {
        assert.deepStrictEqual(yield* listeners([line(`0100007F:${port}`, "0A", user)]), [user])
      }
      assert.deepStrictEqual(yield* listeners([]), [])
    })
  )

  it.effect("is refused where it is another user's program, at whatever address it takes who comes there", () =>
    Effect.gen(function* () {
      const ours = line(`0100007F:${port}`, "0A", service)
      for (const [tcp, tcp6] of [
        [[line(`0100007F:${port}`, "0A", stranger)], []],
        [[ours, line(`00000000:${port}`, "0A", stranger)], []],
        [[], [line(`${any6}:${port}`, "0A", stranger)]],
        [[], [line(`0000000000000000FFFF00000100007F:${port}`, "0A", stranger)]]
      ] as const) {
        const { message } = yield* Effect.flip(listeners(tcp, tcp6))
        assert.include(message, "another user's program listens (user 1001)")
        assert.include(message, "it is shown no token")
      }
    })
  )

  it.effect("is nobody who listens elsewhere, or does not listen", () =>
    Effect.gen(function* () {
      const tcp = [
        line(`0100007F:${port}`, "01", stranger),
        line("0100007F:1F43", "0A", stranger),
        line(`0200A8C0:${port}`, "0A", stranger),
        line(`0100007F:${port}`, "0A", service)
      ]
      assert.deepStrictEqual(yield* listeners(tcp, [line(`${any6}:1F43`, "0A", stranger)]), [service])
    })
  )

  it.effect("is who has taken the connection, too: another may have listened then", () =>
    Effect.gen(function* () {
      const near = "0100007F:D431"
      const at = `0100007F:${port}`
      const listening = line(at, "0A", service)
      const mine = line(near, "01", 1000, at, "77")
      const accepted = (user: number, inode = "78") => line(at, "01", user, near, inode)
      const other = line(at, "01", stranger, "0100007F:D432", "79")
      const looked = (tcp: ReadonlyArray<string>, tcp6: ReadonlyArray<string> = []) =>
        listeners([listening, ...tcp], tcp6, trustedAcceptors)
      assert.deepStrictEqual(yield* looked([mine, other, accepted(service)]), [service])
      const mapped = "0000000000000000FFFF0000"
      const at6 = line(`${mapped}${at}`, "01", service, `${mapped}${near}`, "78")
      assert.deepStrictEqual(yield* looked([mine], [at6]), [service])
      assert.include((yield* Effect.flip(looked([mine, accepted(stranger)]))).message, "(user 1001)")
      for (const unseen of [[], [mine], [mine, accepted(0, "0")], [accepted(service)]]) {
        assert.include((yield* Effect.flip(looked(unseen))).message, "it cannot be seen who listens")
      }
    })
  )

  it.effect("is asked about for URLs that lead to this machine, whatever they call it", () =>
    Effect.gen(function* () {
      const known: Readonly<Record<string, ReadonlyArray<string>>> = {
        "localhost.": ["127.0.0.1"],
        localhost: ["127.0.0.1", "::1"],
        box: ["127.0.1.1"],
        "box.lan": ["192.168.0.7"],
        "cameras.example": ["192.0.2.7"]
      }
      const resolver = Layer.mock(Resolver, {
        // addresses stand for themselves
        addressesOf: (name) => {
          const found = known[name] ?? (/^[\d.]+$|:/.test(name) ? [name] : [])
          return found.length === 0 ? Effect.fail(new NameUnknown({ code: "ENOTFOUND" })) : Effect.succeed(found)
        },
        own: () => ["127.0.0.1", "192.168.0.7", "2001:db8::7"]
      })
      for (const [url, hosts, at] of [
        ["ws://127.0.0.1:8002/ws", ["127.0.0.1"], 8002],
        ["ws://[::1]:8002/ws", ["::1"], 8002],
        ["wss://localhost/ws", ["127.0.0.1", "::1"], 443],
        ["ws://localhost.:8002/ws", ["127.0.0.1"], 8002],
        ["ws://127.9.9.9/ws", ["127.9.9.9"], 80],
        ["ws://0.0.0.0:8002/ws", ["127.0.0.1"], 8002],
        ["ws://0:8002/ws", ["127.0.0.1"], 8002],
        ["ws://[::]:8002/ws", ["127.0.0.1"], 8002],
        ["ws://[::ffff:127.0.0.1]:8002/ws", ["127.0.0.1"], 8002],
        ["ws://box:8002/ws", ["127.0.1.1"], 8002],
        ["ws://box.lan:8002/ws", ["192.168.0.7"], 8002],
        ["ws://[2001:db8::7]:8002/ws", ["2001:db8::7"], 8002],
        ["wss://box.lan:8443/ws", undefined, 0],
        ["ws://127.0.0.1.example:8002/ws", undefined, 0],
        ["ws://cameras.example:8002/ws", undefined, 0],
        ["nonsense", undefined, 0]
      ] as const) {
        const here = yield* Effect.provide(hereIn(url), resolver)
        assert.deepStrictEqual(here, hosts === undefined ? undefined : { hosts: [...hosts], port: at }, url)
      }
    })
  )
})
