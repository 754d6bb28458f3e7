import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { keys, standard } from "../src/config/Keys.ts"
import { configSchema } from "./configSchema.ts"
import { readContract } from "./contract.ts"
import { openRpc } from "./openRpc.ts"
import { typesText } from "./plainTypes.ts"

/** Run by scripts/generate. */

const root = join(import.meta.dirname, "..")

const onDisk = (name: string): string | undefined => {
  try {
    return readFileSync(join(root, name), "utf8")
  } catch {
    return undefined
  }
}

/** The README with its table of configuration keys as the schema has them. */
const readme = (): string => {
  const rows = keys.map(
    (key) => `| \`${key.key}\` | ${JSON.stringify(standard(key))} | ${key.rule} | ${key.changes} | ${key.meaning} |`
  )
  const table = ["| key | default | rule | changes | meaning |", "|---|---|---|---|---|", ...rows].join("\n")
  return (onDisk("README.md") ?? "").replace(
    /(<!-- keys: begin[^\n]*-->\n)[^]*(<!-- keys: end -->)/,
    (_all, begin: string, end: string) => `${begin}${table}\n${end}`
  )
}

const contract = readContract()
const files = {
  "README.md": readme(),
  "schema/generated/config.json": `${JSON.stringify(configSchema(), undefined, 2)}\n`,
  "schema/generated/openrpc.json": `${JSON.stringify(openRpc(contract), undefined, 2)}\n`,
  "schema/generated/types.ts": typesText(contract)
}

const stale = Object.entries(files).filter(([name, text]) => onDisk(name) !== text)
if (process.argv.includes("--check")) {
  for (const [name] of stale) console.error(`generate: ${name} is not what the schemas say: run scripts/generate`)
  if (stale.length > 0) process.exitCode = 1
} else {
  mkdirSync(join(root, "schema", "generated"), { recursive: true })
  for (const [name, text] of stale) {
    writeFileSync(join(root, name), text)
    console.log(`generate: wrote ${name}`)
  }
}
