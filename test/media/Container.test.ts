import { assert, it } from "vitest"
import { isContainer } from "../../src/media/Container.ts"

it("a recording's file is known by its first bytes, and a playlist is none", () => {
  const begins = (text: string) => isContainer(Buffer.from(text, "latin1"))
  for (const text of ["\0\0\0\x18ftypisom", "G@\0\x10", "\x1aE\xdf\xa3"]) assert.isTrue(begins(text))
  for (const text of ["ffconcat version 1.0", "#EXTM3U", "", "\0\0\0\x18free"]) assert.isFalse(begins(text))
})
