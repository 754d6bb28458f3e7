import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import { run, type Service } from "../support/Service.ts"

/** How often each kind of attack got as far as it should. */
export type Achieved = Record<string, number>

const attacker = join(import.meta.dirname, "fixtures/attacker.ts")

/**
 * Does something while a process attacks the service's port: it has to attack until that is over, and each of its attacks
 * has to have got as far as the server lets it. `between`: see there.
 */
export const underAttack = <A, E, R>({ ground }: Service, work: Effect.Effect<A, E, R>, between?: number) =>
  Effect.gen(function* () {
    const args = [ground.ports.server, ...(between === undefined ? [] : [between])].map(String)
    const { ended, kill, stderr, stdout } = yield* run(ground, { command: [process.execPath, attacker], args })
    const early = Effect.flatMap(ended, ({ code, signal }) =>
      Effect.die(new Error(`the attacker ended (${code ?? signal}):\n${stderr().slice(-4000)}`))
    )
    const result = yield* Effect.raceFirst(work, early)
    yield* kill("SIGTERM")
    assert.strictEqual((yield* ended).code, 0, stderr())
    const achieved = JSON.parse(stdout()) as Achieved
    yield* Effect.logInfo(achieved)
    assert.isNotEmpty(achieved)
    for (const [kind, times] of Object.entries(achieved)) assert.isAbove(times, 0, kind)
    return result
  }).pipe(Effect.scoped)
