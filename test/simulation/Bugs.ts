import { readFileSync } from "node:fs"
import { registerHooks } from "node:module"
import { join } from "node:path"
import { pathToFileURL } from "node:url"

/*
 * Bugs that are planted to see whether the simulation finds them: patches to the sources, which are applied to what is loaded
 * and to no file.
 */

interface Hunk {
  readonly before: string
  readonly after: string
}

const root = join(import.meta.dirname, "..", "..")

/** The hunks of a unified diff, by the files that they change. */
const hunksOf = (patch: string): ReadonlyMap<string, ReadonlyArray<Hunk>> => {
  const files = new Map<string, Array<Hunk>>()
  for (const file of patch.split(/^--- a\//m).slice(1)) {
    const [path = "", , ...lines] = file.split("\n")
    const hunks = lines
      .join("\n")
      .split(/^@@.*\n/m)
      .slice(1)
    const side = (hunk: string, other: string) =>
      hunk
        .split("\n")
        .slice(0, -1)
        .filter((line) => !line.startsWith(other))
        .map((line) => line.slice(1))
        .join("\n")
    files.set(
      path,
      hunks.map((hunk) => ({ before: side(hunk, "+"), after: side(hunk, "-") }))
    )
  }
  return files
}

/** Where its lines stand is not looked at: they have to be there, once. */
const applied = (text: string, { after, before }: Hunk): string => {
  const parts = text.split(before)
  if (parts.length === 2) return parts.join(after)
  throw new Error(`the patch does not fit: ${parts.length - 1} times there is\n${before}`)
}

/** Plants the bug of a patch into what is loaded from now on. */
export const plant = (file: string): void => {
  const changes = new Map(
    [...hunksOf(readFileSync(file, "utf8"))].map(([path, hunks]) => {
      const text = hunks.reduce(applied, readFileSync(join(root, path), "utf8"))
      return [pathToFileURL(join(root, path)).href, text] as const
    })
  )
  registerHooks({
    load: (url, context, next) => {
      const source = changes.get(url)
      return source === undefined ? next(url, context) : { format: "module-typescript", source, shortCircuit: true }
    }
  })
}
