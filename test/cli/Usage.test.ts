import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { completions, usageOf } from "../../src/cli/Usage.ts"

const words = (line: string) => line.split(" ").filter((word) => word !== "")

const understood = [
  ["", "help"],
  ["-h", "help"],
  ["--help", "help"],
  ["help", "help"],
  ["help serve", "help"],
  ["serve --help", "help"],
  ["config show -h", "help"],
  ["-v", "version"],
  ["--version", "version"],
  ["version", "version"],
  ["serve", "serve"],
  ["serve --config /etc/camera.yml", "serve"],
  ["--config=/etc/camera.yml serve", "serve"],
  ["token --role admin --ttl 7d", "token"],
  ["token --role admin --link", "token"],
  ["cameras --json", "cameras"],
  ["snapshot camera0 -o /tmp/a.jpg", "snapshot"],
  ["snapshot camera0 -o -", "snapshot"],
  ["record camera0 --for 10s --url ws://box:8002/ws --token-file /etc/key", "record"],
  ["tail --json", "tail"],
  ["complete con --help", "complete"],
  ["doctor", "doctor"],
  ["doctor --json --bundle /tmp/report.tar.gz", "doctor"],
  ["config check", "config check"],
  ["config check /etc/camera.yml", "config check"],
  ["config show --json", "config show"],
  ["config schema", "config schema"]
] as const

const refused = [
  ["srve", 'there is no command "srve": did you mean serve?'],
  ["start", 'there is no command "start"'],
  ["show", 'there is no command "show": did you mean config show?'],
  ["config chek", 'there is no command "config chek": did you mean config check?'],
  ["confg show", 'there is no command "confg show": did you mean config show?'],
  ["config", "config needs one of check, show and schema behind it"],
  ["--config x", "there is no command: see camera-service --help"],
  ["serve now", '"now" is too much for serve'],
  ["config check a b", '"a b" is too much for config check'],
  ["serve --confg x", "serve has no option --confg: did you mean --config?"],
  ["serve --role admin", "serve has no option --role"],
  ["serve -x", "serve has no option -x"],
  ["snapshot", "snapshot needs a CAMERA behind it"],
  ["record camera0 camera1", '"camera0 camera1" is too much for record'],
  ["cameras --token abc", "cameras has no option --token"],
  ["doctor --bundle", "--bundle needs a value behind it"],
  ["dcotor", 'there is no command "dcotor": did you mean doctor?'],
  ["token --role", "--role needs a value behind it"],
  ["doctor --bundle -", "--bundle needs a value behind it"],
  ["token --role --ttl 1h", "--role needs a value behind it"],
  ["serve --config=", "--config needs a value behind it"],
  ["config show --json=no", "--json takes no value"]
] as const

describe("the command line", () => {
  for (const [line, command] of understood) {
    it.effect(`"${line}" is ${command}`, () =>
      Effect.map(usageOf(words(line)), (usage) => assert.strictEqual(usage.command, command))
    )
  }
  for (const [line, said] of refused) {
    it.effect(`"${line}" is refused: ${said}`, () =>
      Effect.map(Effect.flip(usageOf(words(line))), ({ message }) => assert.include(message, said))
    )
  }

  it.effect("gives what stands behind a command, and its options", () =>
    Effect.gen(function* () {
      assert.deepInclude(yield* usageOf(["config", "check", "a.yml"]), { words: ["a.yml"] })
      const { values } = yield* usageOf(["token", "--role=viewer", "--cameras", "camera0,camera2"])
      assert.deepInclude(values, { role: "viewer", cameras: "camera0,camera2" })
    })
  )
})

describe("what a shell offers", () => {
  const offered = (line: string) => completions(line.split(" "))
  it("is the commands, the second word of those that have one, and their options", () => {
    assert.includeMembers([...offered("")], ["serve", "config", "snapshot"])
    assert.notInclude(offered(""), "complete")
    assert.deepStrictEqual(offered("config "), ["check", "show", "schema"])
    assert.deepStrictEqual(offered("config show --"), ["--config", "--json"])
    assert.include(offered("snapshot camera0 -"), "--output")
    assert.deepStrictEqual(offered("nonsense "), [])
  })
})
