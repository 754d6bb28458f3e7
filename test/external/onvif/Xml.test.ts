import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { loadXml } from "../../../src/external/onvif/Xml.ts"

/** So much that its profiles are read one by one. */
const filling = "<b c='d'>e</b>".repeat(900)

it.effect.each(["<Profiles/>", "<p:Profiles />", '<Profiles token="a>b"/>', "<Profiles token='/'\n/>"])(
  "a profile without content, %s, takes no other's place",
  (empty) =>
    Effect.gen(function* () {
      const readXml = yield* loadXml
      const full = (token: string) => `<Profiles token="${token}" n='/>'>${filling}</Profiles>`
      const { children } = yield* readXml(`<r>${empty}${full("1")}${empty}${full("2")}<after/>${empty}</r>`)
      assert.deepEqual(
        children.map(({ attributes, children: inner, name }) => [name, attributes["n"], inner.length]),
        [
          ["Profiles", undefined, 0],
          ["Profiles", "/>", 900],
          ["Profiles", undefined, 0],
          ["Profiles", "/>", 900],
          ["after", undefined, 0],
          ["Profiles", undefined, 0]
        ]
      )
      assert.deepEqual([children[1]?.attributes["token"], children[3]?.attributes["token"]], ["1", "2"])
    })
)

it.effect("quotes that do not end are refused at once, wherever they begin", () =>
  Effect.gen(function* () {
    const readXml = yield* loadXml
    for (const quote of ['"', "'"]) {
      const error = yield* Effect.flip(readXml(`<a>${`<Profiles b=${quote}c>`.repeat(9001)}</a>`))
      assert.strictEqual(error._tag, "BadXml")
    }
  })
)
