import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { percentile, round } from "../../../scripts/benchmarks/Statistics.ts"
import { copyName } from "../../../src/storage/FileIndex.ts"
import { patience } from "../../lab/vm/Bench.ts"
import { faultyDisk, turn } from "../../lab/vm/FaultyDisk.ts"
import { mjpg } from "../../lab/vm/Formats.ts"
import type { Lab } from "../../lab/vm/Lab.ts"
import { scenario } from "../../lab/vm/Scenario.ts"
import { streaming } from "../../lab/vm/Steps.ts"
import { eventually } from "../../support/Eventually.ts"

const pause = 50

/** Milliseconds that replies took for so many seconds, and by which this machine was late meanwhile. */
const watch = Effect.fnUntraced(function* (lab: Pick<Lab<string>, "call">, seconds: number) {
  const [took, late]: [Array<number>, Array<number>] = [[], []]
  const until = performance.now() + seconds * 1000
  while (performance.now() < until) {
    for (const ask of [lab.call().ping({}), lab.call().get_status({})]) {
      const asked = performance.now()
      yield* ask
      const answered = performance.now()
      took.push(answered - asked)
      yield* Effect.sleep(pause)
      late.push(performance.now() - answered - pause)
    }
  }
  const [p50, p99, slowest, lateness] = [
    percentile(took, 0.5),
    percentile(took, 0.99),
    Math.max(...took),
    percentile(late, 0.99)
  ]
  return {
    p99,
    slowest,
    lateness,
    said: `p50 ${round(p50)}, p99 ${round(p99)}, slowest ${round(slowest)}; late by ${round(lateness)} ms`
  }
})

export default scenario({
  title: "a disk that takes up to 3 s for each write delays no reply, and costs no footage",
  cameras: {
    mast: { name: "Mast", serial: "M-1", formats: [mjpg(320, 240, 5)] },
    tower: { name: "Tower", serial: "T-1", formats: [mjpg(320, 240, 5)] },
    gate: { name: "Gate", serial: "G-1", formats: [mjpg(320, 240, 5)] },
    yard: { name: "Yard", serial: "Y-1", formats: [mjpg(320, 240, 5)] }
  },
  settings: { RECORDING_SEGMENT_SECONDS: "5" },
  data: faultyDisk(),
  play: Effect.fnUntraced(function* (lab) {
    const mast = yield* lab.plug("mast")
    const tower = yield* lab.plug("tower")
    for (const device of [yield* lab.plug("gate"), yield* lab.plug("yard"), mast]) {
      yield* lab.call().start_recording({ device })
      yield* streaming(lab, device)
    }
    const began = performance.now()
    const outcomes = { pictures: 0, recordings: 0, refused: new Array<string>() }
    const counted = (what: "pictures" | "recordings", work: Effect.Effect<unknown, unknown>) =>
      Effect.matchEffect(work, {
        onSuccess: () => Effect.sync(() => void outcomes[what]++),
        onFailure: (error) => Effect.sync(() => void outcomes.refused.push(`${what}: ${String(error)}`))
      })
    yield* Effect.forkScoped(
      Effect.forever(Effect.andThen(counted("pictures", lab.call().take_snapshot({ device: mast })), Effect.sleep(300)))
    )
    yield* Effect.forkScoped(
      Effect.forever(
        counted(
          "recordings",
          lab
            .call()
            .start_recording({ device: tower })
            .pipe(Effect.andThen(Effect.sleep(1000)), Effect.andThen(lab.call().stop_recording({ device: tower })))
        ).pipe(Effect.andThen(Effect.sleep(500)))
      )
    )
    const told: Array<string> = []
    for (const milliseconds of [0, 100, 1000, 3000]) {
      yield* turn({ after: milliseconds })
      // what a backup begins with: a copy of the index
      yield* lab.bench.now().service.kill("SIGUSR2")
      const { lateness, p99, said, slowest } = yield* watch(lab, 6)
      told.push(`each write takes ${milliseconds} ms: ${said}; ${JSON.stringify(outcomes)}`)
      process.stdout.write(`${told.at(-1)}\n`)
      assert.ok(p99 < 100 + 4 * lateness, told.join("\n"))
      assert.ok(slowest < 800, told.join("\n"))
    }
    // a slow disk has who writes wait, and refuses nobody
    assert.deepEqual(outcomes.refused, [], told.join("\n"))
    assert.ok(outcomes.pictures >= 20 && outcomes.recordings >= 1, told.join("\n"))
    yield* turn("taken")
    const { ground } = lab.bench.now().service
    yield* eventually(
      "the index is copied",
      Effect.sync(() => existsSync(join(ground.folder, copyName))),
      patience
    )
    const seconds = (performance.now() - began) / 1000
    const { files, reason } = yield* lab.call().stop_recording({ device: mast })
    assert.equal(reason, undefined)
    // an emulated machine has no time to look into all of them at the end: it does so afterwards
    const durations = Effect.forEach(files, (filename) =>
      Effect.map(lab.call().get_recording_info({ filename }), ({ duration }) => duration)
    )
    const known = yield* eventually(
      "all files are looked into",
      Effect.map(durations, (all) => all.every((duration) => duration > 0) && all),
      patience
    )
    const there = known.reduce((sum, duration) => sum + duration, 0)
    process.stdout.write(`${there} s of ${seconds} s in ${files.length} files\n`)
    assert.ok(there > seconds - 2, `${there} s of ${seconds} s are there`)
  })
})
