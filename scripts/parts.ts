import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** What the packages that are given to others are made of, and under which licences: for Debian's (licences.ts) and npm's (packages.ts). */

const root = join(import.meta.dirname, "..")

interface Manifest {
  readonly name: string
  readonly version: string
  readonly license?: string
  readonly author?: string | { readonly name: string }
}

/** Something that is shipped. */
export interface Part {
  readonly name: string
  readonly version: string
  /** by SPDX's list; of Go's modules it is not known here */
  readonly licence?: string
  readonly text?: string
  /** package URL (ECMA-427) */
  readonly purl: string
  readonly sha256?: string
}

export const readJson = <A>(file: string): A => JSON.parse(readFileSync(file, "utf8")) as A
export const manifestOf = (folder: string): Manifest => readJson(join(folder, "package.json"))

export const licenceIn = (folder: string): string | undefined => {
  const name = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file))
  return name === undefined ? undefined : readFileSync(join(folder, name), "utf8").trim()
}

/** `%40effect/opentelemetry`: of a scope only the at sign is escaped */
export const npmUrl = ({ name, version }: Manifest): string => `pkg:npm/${name.replace("@", "%40")}@${version}`

const ownerOf = ({ author }: Manifest): string => (typeof author === "object" ? author.name : (author ?? "its authors"))

/** A package that is part of a bundle, by its name in node_modules. */
export const npmPart = (path: string): Part => {
  const folder = join(root, "node_modules", path)
  const manifest = manifestOf(folder)
  const { license = "", name, version } = manifest
  const text =
    licenceIn(folder) ?? `No text comes with it: by ${ownerOf(manifest)}, under ${license}, as its package says.`
  return { name, version, licence: license, text, purl: npmUrl(manifest) }
}

/** The npm packages that these modules are from, one in another by its path. */
export const packagesOf = (modules: ReadonlyArray<string>): ReadonlyArray<string> => {
  const found = modules.flatMap((id) => {
    const [, path = ""] = /^.*?\/node_modules\/(.*)$/.exec(id) ?? []
    const [own] = /^(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+/.exec(path) ?? []
    return own === undefined ? [] : [own]
  })
  return [...new Set(found)].sort()
}

const component = ({ licence, name, purl, sha256, version }: Part) => ({
  type: sha256 === undefined ? "library" : "application",
  "bom-ref": purl,
  name,
  version,
  purl,
  ...(sha256 === undefined ? {} : { hashes: [{ alg: "SHA-256", content: sha256 }] }),
  ...(licence === undefined ? {} : { licenses: [{ license: { id: licence } }] })
})

/** CycloneDX 1.6, of the time that SOURCE_DATE_EPOCH tells. `within`: what one of the parts is made of. */
export const sbomOf = (
  whole: Part,
  parts: ReadonlyArray<Part>,
  within?: { readonly of: Part; readonly parts: ReadonlyArray<Part> }
): string => {
  const depends = (on: Part, of: ReadonlyArray<Part>) => ({ ref: on.purl, dependsOn: of.map(({ purl }) => purl) })
  const sbom = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      timestamp: new Date(Number(process.env["SOURCE_DATE_EPOCH"]) * 1000).toISOString(),
      component: { ...component(whole), type: "application" }
    },
    components: [...parts, ...(within?.parts ?? [])].map(component),
    dependencies: [depends(whole, parts), ...(within === undefined ? [] : [depends(within.of, within.parts)])]
  }
  return `${JSON.stringify(sbom, undefined, 1)}\n`
}

/** What stands between two licences. */
export const rule = `\n\n${"-".repeat(72)}\n\n`

/** Each text once, below all that it is the licence of. */
export const licencesOf = (parts: ReadonlyArray<Part>): ReadonlyArray<string> => {
  const byText = Map.groupBy(parts, ({ text = "" }) => text)
  return [...byText].map(([text, of]) => {
    const names = of.map(({ licence, name, version }) => `${name} ${version} (${licence})`)
    return `${names.join("\n")}\n\n${text}`
  })
}

export const ownLicence = readFileSync(join(root, "packaging/licences/camera-service"), "utf8").trim()
