import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { hereIn, trustedListeners } from "../../src/cli/Listener.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { KernelFiles } from "../../src/ground/KernelFiles.ts"
import { Machine } from "../../src/ground/Machine.ts"
import { temporaryFolder } from "../storage/Workbench.ts"

const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
/** A line of /proc/net/tcp: an address and a port in hexadecimal, a state, whose it is. */
const line = (local: string, state: string, user: number) =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000 ${String(user).padStart(5)}        0 1234 1`

const service = 990
const stranger = 1001
const port = "1F42"
const any6 = "0".repeat(32)

/** Who is trusted to listen at 127.0.0.1, port 8002, where these sockets are. */
const listeners = (tcp: ReadonlyArray<string>, tcp6: ReadonlyArray<string> = []) =>
  Effect.gen(function* () {
    const proc = yield* temporaryFolder
    mkdirSync(join(proc, "net"))
    writeFileSync(join(proc, "net/tcp"), [head, ...tcp, ""].join("\n"))
    writeFileSync(join(proc, "net/tcp6"), [head, ...tcp6, ""].join("\n"))
    const ground = Layer.mergeAll(
      KernelFiles.layerAt({ dev: proc, sys: proc, proc }),
      Layer.mock(Disk, { rights: () => Effect.succeed({ owner: service, mode: 0o700 }) }),
      Layer.effect(
        Machine,
        Effect.map(Machine, (real) => Machine.of({ ...real, user: () => ({ name: "ann", id: 1000, groups: [1000] }) }))
      ).pipe(Layer.provide(Machine.layer))
    )
    return yield* Effect.provide(trustedListeners({ host: "127.0.0.1", port: 8002, folder: "/data" }), ground)
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

  it("is asked about for URLs that lead to this machine", () => {
    for (const [url, here] of [
      ["ws://127.0.0.1:8002/ws", { host: "127.0.0.1", port: 8002 }],
      ["ws://[::1]:8002/ws", { host: "::1", port: 8002 }],
      ["wss://localhost/ws", { host: "localhost", port: 443 }],
      ["ws://127.9.9.9/ws", { host: "127.9.9.9", port: 80 }],
      ["ws://127.0.0.1.example:8002/ws", undefined],
      ["ws://cameras.example:8002/ws", undefined],
      ["nonsense", undefined]
    ] as const) {
      assert.deepStrictEqual(hereIn(url), here, url)
    }
  })
})
