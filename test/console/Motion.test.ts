import { assert, describe, it } from "@effect/vitest"
import { bundle } from "lightningcss"
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"

const folder = join(import.meta.dirname, "../../src/console")
const styles = bundle({ filename: join(folder, "console.css") }).code.toString()

/** What moves by itself: `transition: none` and the like do not. */
const moving = /\b(?:transition|animation|scroll-behavior|view-transition)[a-z-]*:(?!\s*(?:none|auto)\b)[^;}]*/g

/** The style sheet without what stands in these blocks. */
const without = (text: string, block: string): string => {
  const begin = text.indexOf(block)
  if (begin < 0) return text
  let end = text.indexOf("{", begin) + 1
  for (let depth = 1; depth > 0; end++) depth += text[end] === "{" ? 1 : text[end] === "}" ? -1 : 0
  return without(text.slice(0, begin) + text.slice(end), block)
}

describe("who wants less motion (prefers-reduced-motion)", () => {
  it("sees none of the style sheet's", () => {
    const still = without(styles, "@media (prefers-reduced-motion: no-preference)")
    assert.isNotEmpty(styles.match(moving) ?? [], "there is one: it is looked for in the right way")
    assert.deepStrictEqual(still.match(moving) ?? [], [])
  })

  it("sees none of the scripts', which know nothing of it: they jump, and animate nothing", () => {
    const scripts = globSync("**/*.{ts,tsx}", { cwd: folder })
    assert.isNotEmpty(scripts)
    const animated = scripts.filter((file) =>
      /"smooth"|\.animate\(|startViewTransition|style\.(?:transition|animation)/.test(
        readFileSync(join(folder, file), "utf8")
      )
    )
    assert.deepStrictEqual(animated, [])
  })
})
