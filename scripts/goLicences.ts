import { execFileSync } from "node:child_process"
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { modulesIn } from "./goModules.ts"

/**
 * Run by hand where MediaMTX is another one: `goLicences.ts PROGRAM` writes the licences of the Go modules in it into
 * packaging/licences, from the cache of the Go that has built it.
 */

const [program = ""] = process.argv.slice(2)
const cache = execFileSync(process.env["GO"] ?? "go", ["env", "GOMODCACHE"], { encoding: "utf8" }).trim()

/** Capitals are escaped (https://go.dev/ref/mod#module-cache). */
const escaped = (text: string): string => text.replaceAll(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`)

/** Debian has these texts once for all packages. */
const common: ReadonlyArray<readonly [RegExp, string]> = [
  [/Apache License\s+Version 2\.0, January 2004/, "Apache-2.0"],
  [/Mozilla Public License,? [Vv]ersion 2\.0/, "MPL-2.0"]
]
const shortened = (text: string): string => {
  const found = common.find(([sign]) => sign.test(text.slice(0, 600)))
  return found === undefined
    ? text.trim().replaceAll("\r\n", "\n")
    : `Licensed under ${found[1]}: on Debian systems its text is in /usr/share/common-licenses/${found[1]}.`
}

const textOf = (name: string, version: string): string => {
  const folder = join(cache, `${escaped(name)}@${escaped(version)}`)
  if (!existsSync(folder)) throw new Error(`${folder} is not there: build MediaMTX here first (scripts/setup)`)
  const files = globSync(["*", "LICENSES/*"], { cwd: folder, withFileTypes: true }).filter(
    (entry) => entry.isFile() && (entry.parentPath !== folder || /^(?:licen[cs]e|copying|notice)/i.test(entry.name))
  )
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).toSorted()
  const texts = paths.map((path) => shortened(readFileSync(path, "utf8")))
  return texts.length === 0 ? "No licence comes with it." : [...new Set(texts)].join("\n\n")
}

/** Each text once, with all that it is the licence of. */
const byText = new Map<string, Array<string>>()
for (const { name, version } of modulesIn(program)) {
  const text = textOf(name, version)
  byText.set(text, [...(byText.get(text) ?? []), `${name} ${version}`])
}
const licences = [...byText].map(([text, modules]) => ({ modules, text }))
const file = join(import.meta.dirname, "../packaging/licences/mediamtx-modules.json")
writeFileSync(file, `${JSON.stringify(licences, undefined, 1)}\n`)
