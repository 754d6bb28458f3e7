import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { eventually } from "../support/Eventually.ts"
import { makeGround, start } from "../support/Service.ts"

it.live("a changed file is followed, told by SIGHUP or not, and every line on standard error is JSON to the end", () =>
  Effect.gen(function* () {
    const ground = yield* makeGround({ cameras: 0 })
    const file = join(ground.folder, "camera-service.yml")
    const write = (text: string) => {
      writeFileSync(`${file}.new`, text)
      renameSync(`${file}.new`, file)
    }
    write("streams: { stall_seconds: 4 }\n")
    const service = yield* start(ground, { args: ["serve", "--config", file] })
    const lines = () =>
      service
        .stderr()
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as { readonly message: string; readonly [field: string]: unknown })
    const said = (words: string) =>
      eventually(
        words,
        Effect.sync(() => lines().some(({ message }) => message.includes(words)))
      )

    write("streams: { stall_seconds: 5 }\n")
    yield* said("the configuration has changed")
    const changed = lines().find(({ message }) => message === "the configuration has changed")
    assert.strictEqual(changed?.["streams.stall_seconds"], 5)
    write("streams: { stall_seconds: 500 }\n")
    yield* service.kill("SIGHUP")
    yield* said("SIGHUP: reading the configuration file")
    yield* said("the configuration file is refused")
    write("server: { host: 0.0.0.0 }\n")
    yield* service.kill("SIGHUP")
    yield* said("at the next start only: server.host")
    yield* service.kill("SIGTERM")
    assert.strictEqual((yield* service.ended).code, 0)
    assert.isTrue(lines().some(({ message }) => message.startsWith("SIGTERM: ending")))
  })
)
