import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { Disk } from "../../src/ground/Disk.ts"
import { journalWait } from "../../src/storage/JournalWait.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"

it.effect("who waits for the journal hears of a defect, and who comes after it asks anew", () =>
  Effect.gen(function* () {
    const disk = yield* Disk
    let asked = 0
    const touch = () => Effect.suspend(() => (++asked === 1 ? Effect.die("a bug") : Effect.void))
    const wait = journalWait({ ...disk, touch }, ["/index"])
    assert.isTrue(Exit.hasDies(yield* Effect.exit(wait)))
    yield* wait
    assert.strictEqual(asked, 2)
  }).pipe(Effect.provide(MemoryDisk.layer))
)
