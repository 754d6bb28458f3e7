import { execFileSync } from "node:child_process"
import { chmodSync, cpSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { type InputOptions, type OutputOptions, type Plugin, rolldown } from "rolldown"
import { licencesOf, npmPart, ownLicence, packagesOf, readJson, rule, sbomOf } from "./parts.ts"

/**
 * Run by scripts/pack: the folders that the two npm packages are made of. The sources run as they are with Node's type
 * stripping, which does not work in node_modules: what others install is compiled.
 */

const root = join(import.meta.dirname, "..")
const work = process.argv[2] ?? ""

const read = (name: string): string => readFileSync(join(root, name), "utf8")
const { dependencies, engines, license, version } = JSON.parse(read("package.json")) as {
  readonly dependencies: Readonly<Record<string, string>>
  readonly engines: { readonly node: string }
  readonly license: string
  readonly version: string
}

const write = (file: string, text: string): void => {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`

/** A part of the README, with its heading. */
const section = (heading: string): string =>
  new RegExp(`^## ${heading}\n[^]*?(?=^## )`, "m").exec(read("README.md"))?.[0] ?? ""

/** The contract, the client and the declarations, one file for each source. */
const compile = (): string => {
  const folder = join(work, "compiled")
  const config = join(work, "tsconfig.json")
  const compilerOptions = {
    noEmit: false,
    rootDir: root,
    outDir: folder,
    typeRoots: [join(root, "node_modules/@types")],
    plugins: []
  }
  const include = ["schema", "testing"].map((name) => join(root, name))
  write(config, json({ extends: join(root, "tsconfig.json"), compilerOptions, include }))
  execFileSync("tsc", ["-p", config], { stdio: ["ignore", "inherit", "inherit"] })
  return folder
}

/** The contract is a part of the package already: what is bundled imports it from there. */
const contractApart: Plugin = {
  name: "contract-apart",
  resolveId(source, importer) {
    if (importer === undefined || !source.startsWith(".")) return null
    const file = relative(root, join(dirname(importer), source))
    return file.startsWith("schema/") ? { id: `../${file.replace(/\.ts$/, ".js")}`, external: true } : null
  }
}

/** One file of this and all that it stands on; gives the packages that are in it. */
const bundleInto = async (
  file: string,
  options: InputOptions,
  minify: NonNullable<OutputOptions["minify"]>
): Promise<ReadonlyArray<string>> => {
  const bundle = await rolldown({ platform: "node", ...options })
  const { output } = await bundle.write({ file, format: "esm", codeSplitting: false, minify })
  await bundle.close()
  return packagesOf(output.flatMap((chunk) => (chunk.type === "chunk" ? chunk.moduleIds : [])))
}

/** What is bundled into a package, and under which licences: beside its own manifest. */
const tellParts = (folder: string, name: string, packages: ReadonlyArray<string>): void => {
  const parts = [...new Set(packages)].sort().map(npmPart)
  const own = { name, version, licence: license, purl: `pkg:npm/${name}@${version}` }
  write(join(folder, "LICENSE"), `${ownLicence}\n`)
  write(join(folder, "sbom.cdx.json"), sbomOf(own, parts))
  const about = `What other authors made, and is a part of the files of ${name} ${version}, with its licences.`
  write(join(folder, "third-party-licences.txt"), `${[about, ...licencesOf(parts)].join(rule)}\n`)
}
const told = ["sbom.cdx.json", "third-party-licences.txt"]

/** The test service, without the contract, and Effect, that its users have. */
const bundleTesting = (file: string) =>
  bundleInto(
    file,
    {
      input: join(root, "testing/TestService.ts"),
      external: [/^effect\//, "koffi"],
      plugins: [contractApart],
      transform: { target: "node22" }
    },
    // names stay: they stand in stack traces
    { compress: false, mangle: false, codegen: true }
  )

const client = async (): Promise<void> => {
  const folder = join(work, "camera-service-client")
  const compiled = compile()
  for (const name of globSync(["schema/**/*.{js,d.ts}", "testing/TestService.d.ts"], { cwd: compiled })) {
    // declarations keep the names of the sources that they import
    const text = readFileSync(join(compiled, name), "utf8")
    write(join(folder, name), text.replaceAll(/(from |import\()"(\.[^"]+)\.ts"/g, '$1"$2.js"'))
  }
  cpSync(join(root, "schema/generated/openrpc.json"), join(folder, "schema/generated/openrpc.json"))
  tellParts(folder, "camera-service-client", await bundleTesting(join(folder, "testing/TestService.js")))

  const from = (file: string) => ({ types: `./${file}.d.ts`, default: `./${file}.js` })
  write(
    join(folder, "package.json"),
    json({
      name: "camera-service-client",
      version,
      description:
        "The client of camera-service: its contract, a typed client for Node and browsers, and a service to test with.",
      license,
      type: "module",
      sideEffects: false,
      engines: { node: ">=22.13" },
      exports: {
        "./client": from("schema/client/CameraClient"),
        "./schema": from("schema/CameraRpcs"),
        "./schema/*": from("schema/*"),
        "./types": from("schema/generated/types"),
        "./openrpc.json": "./schema/generated/openrpc.json",
        "./testing": from("testing/TestService"),
        "./package.json": "./package.json"
      },
      files: ["schema", "testing", ...told],
      // its modules that the contract is made of may change with a minor
      peerDependencies: { effect: `~${dependencies["effect"]}` },
      peerDependenciesMeta: { effect: { optional: true } }
    })
  )
  // what it links to is in the sources
  const readme = read("docs/clients.md").replaceAll(/ \(\[[^\]]*\]\(\w+\.md\)\)/g, "")
  write(join(folder, "README.md"), readme.replace(/^# .*/, "# camera-service-client"))
}

const server = async (): Promise<void> => {
  const folder = join(work, "camera-service")
  for (const name of globSync("dist/*.cjs", { cwd: root })) cpSync(join(root, name), join(folder, name))
  const isFor = (file: string) => !file.endsWith("packages.json")
  cpSync(join(root, "dist/console"), join(folder, "dist/console"), { recursive: true, filter: isFor })
  cpSync(join(root, "scripts/camera-service"), join(folder, "scripts/camera-service"))
  chmodSync(join(folder, "scripts/camera-service"), 0o755)
  const inDemo = await bundleInto(join(folder, "scripts/demo.mjs"), { input: join(root, "scripts/demo.ts") }, true)
  const packagesIn = (part: string) => readJson<ReadonlyArray<string>>(join(root, part, "packages.json"))
  tellParts(folder, "camera-service", [...packagesIn("dist"), ...packagesIn("dist/console"), ...inDemo])
  write(
    join(folder, "package.json"),
    json({
      name: "camera-service",
      version,
      description: "Turns a Linux box with cameras into a well-behaved video node.",
      license,
      type: "commonjs",
      os: ["linux"],
      engines,
      bin: { "camera-service": "scripts/camera-service" },
      exports: { "./package.json": "./package.json" },
      files: ["dist", "docs", "scripts", ...told],
      dependencies: { koffi: dependencies["koffi"] }
    })
  )
  const [about = ""] = read("README.md").split("```")
  const asInstalled = (text: string) => text.replaceAll("./scripts/camera-service", "npx camera-service")
  const readme = `${about}${section("Operations")}${section("Read on")}`.trimEnd()
  write(join(folder, "README.md"), asInstalled(`${readme}\n`))
  for (const name of globSync("docs/*.md", { cwd: root })) write(join(folder, name), asInstalled(read(name)))
}

await client()
await server()
