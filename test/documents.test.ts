import { assert, describe, it } from "@effect/vitest"
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, normalize } from "node:path"
import { descriptions } from "../schema/Descriptions.ts"
import { keys } from "../src/config/Keys.ts"

const root = join(import.meta.dirname, "..")
const read = (file: string) => readFileSync(join(root, file), "utf8")
const readme = read("README.md")
const documents = ["README.md", ...globSync("docs/*.md", { cwd: root })]
const metrics = read("src/telemetry/Metrics.ts")
/** The notifications are described beside them, and begin with a noun. */
const methods = Object.keys(descriptions).filter((name) => !/^(camera|recording|system)_|^event$/.test(name))
const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read("package.json")) as Readonly<
  Record<string, Readonly<Record<string, string>>>
>

/** As GitHub names headings in URLs. */
const anchorsIn = (document: string): ReadonlyArray<string> =>
  [...read(document).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-")
  )

/** What stands in the text as code: `…`. */
const wordsIn = (document: string): ReadonlyArray<string> =>
  [...read(document).matchAll(/`([^`\n]+)`/g)].map(([, word = ""]) => word)

describe("the README", () => {
  it("is read in one sitting", () => assert.isBelow(readme.split("\n").length, 300))

  it("has a client in ten lines, as it says", () => {
    const [, example = ""] = /```ts\n(import .*?)\n```/s.exec(readme) ?? []
    assert.isAtMost(example.split("\n").length, 10)
    assert.include(example, "CameraClient.make")
    // the package of the client has this one as its README
    assert.include(read("docs/clients.md"), example)
  })

  for (const document of documents.slice(1)) {
    it(`leads to ${document}`, () => assert.include(readme, `](${document})`))
  }

  for (const name of Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
    it(`says what ${name} is for`, () => assert.include(readme, `\`${name}\``))
  }

  for (const folder of readdirSync(join(root, "src"), { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    it(`says what src/${folder.name} holds`, () => assert.include(readme, `\`src/${folder.name}\``))
  }
})

for (const document of documents) {
  describe(document, () => {
    it("has no dead link", () => {
      for (const [, target = ""] of read(document).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(target)) continue
        const [path = "", anchor] = target.split("#")
        const file = path === "" ? document : normalize(join(dirname(document), path))
        assert.isTrue(existsSync(join(root, file)), target)
        if (anchor !== undefined) assert.include(anchorsIn(file), anchor, target)
      }
    })

    it("names files that are there", () => {
      const named = /(?<![\w/.-])(?:docs|packaging|schema|scripts|src|test|testing)\/[\w./-]*\w/g
      for (const [path] of read(document).matchAll(named)) assert.isTrue(existsSync(join(root, path)), path)
    })

    it("names keys that the configuration has", () => {
      const known = new Set<string>(keys.map(({ key }) => key))
      const sections = new Set([...known].flatMap((key) => (key.includes(".") ? [key.split(".")[0]] : [])))
      // a field of a reply, and a topic
      const others = new Set(["codec.conformant", "discovery.progress"])
      for (const word of wordsIn(document)) {
        const [, key = "", section = ""] = /^(([a-z]+)\.[a-z_]+)(?::|$)/.exec(word) ?? []
        if (sections.has(section) && !others.has(key) && !key.endsWith(".json")) assert.isTrue(known.has(key), key)
      }
    })

    it("names methods that there are", () => {
      const verbs = new Set(methods.map((name) => name.split("_")[0]))
      for (const word of wordsIn(document)) {
        const isCall = /^[a-z]+_[a-z_]+$/.test(word) && verbs.has(word.split("_")[0])
        if (isCall) assert.include(methods, word)
      }
    })

    it("names metrics that are counted", () => {
      const named = /`(?:rate\()?((?:camera|rpc_server|process|nodejs)_[a-z0-9_]+)(?=`|\[)/g
      for (const [, name = ""] of read(document).matchAll(named)) {
        const id = name
          .replace(/_total$/, "")
          .replace(/_(seconds|bytes)$/, "")
          .replaceAll("_", ".")
        if (!(name in descriptions)) assert.include(metrics, `"${id}"`)
      }
    })
  })
}

describe("package.json", () => {
  it("pins every dependency exactly", () => {
    for (const version of Object.values({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
      assert.match(version, /^\d+\.\d+\.\d+$/)
    }
  })
})
