import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Role, roles } from "../schema/Auth.ts"
import { keys, standard } from "../src/config/Keys.ts"
import { configSchema } from "./configSchema.ts"
import { type Contract, readContract } from "./contract.ts"
import { dashboard } from "./dashboard.ts"
import { openRpc } from "./openRpc.ts"
import { typesText } from "./plainTypes.ts"

/** Run by scripts/generate. */

const contract = readContract()

const root = join(import.meta.dirname, "..")

const onDisk = (name: string): string | undefined => {
  try {
    return readFileSync(join(root, name), "utf8")
  } catch {
    return undefined
  }
}

/** What each role may call, beside what those before it may. */
const rolesTable = ({ methods }: Contract): string => {
  const namesOf = (role: Role | undefined): string =>
    methods.flatMap((method) => (method.role === role ? [`\`${method.name}\``] : [])).join(", ")
  const rows = [undefined, ...roles].map((role) => `| ${role ?? "before it authenticates"} | ${namesOf(role)} |`)
  return ["| role | may call |", "|---|---|", ...rows].join("\n")
}

/** Every key of the configuration. */
const keysTable = (): string => {
  const rows = keys.map(
    (key) => `| \`${key.key}\` | ${JSON.stringify(standard(key))} | ${key.rule} | ${key.changes} | ${key.meaning} |`
  )
  return ["| key | default | rule | changes | meaning |", "|---|---|---|---|---|", ...rows].join("\n")
}

/** A document with this table between its marks. */
const withTable = (document: string, name: string, table: string): string => {
  const between = new RegExp(`(<!-- ${name}: begin[^\\n]*-->\\n)[^]*?(<!-- ${name}: end -->)`)
  const text = onDisk(document) ?? ""
  if (!between.test(text)) throw new Error(`${document} has no place for the table of ${name}`)
  return text.replace(between, (_all, begin: string, end: string) => `${begin}${table}\n${end}`)
}
const files = {
  "docs/configuration.md": withTable("docs/configuration.md", "keys", keysTable()),
  "docs/operations.md": withTable("docs/operations.md", "roles", rolesTable(contract)),
  "packaging/grafana/camera-service.json": `${JSON.stringify(dashboard(), undefined, 2)}\n`,
  "schema/generated/config.json": `${JSON.stringify(configSchema(), undefined, 2)}\n`,
  "schema/generated/openrpc.json": `${JSON.stringify(openRpc(contract), undefined, 2)}\n`,
  "schema/generated/types.ts": typesText(contract)
}

const stale = Object.entries(files).filter(([name, text]) => onDisk(name) !== text)
if (process.argv.includes("--check")) {
  for (const [name] of stale) console.error(`generate: ${name} is not what the sources say: run scripts/generate`)
  if (stale.length > 0) process.exitCode = 1
} else {
  mkdirSync(join(root, "schema", "generated"), { recursive: true })
  for (const [name, text] of stale) {
    writeFileSync(join(root, name), text)
    console.log(`generate: wrote ${name}`)
  }
}
