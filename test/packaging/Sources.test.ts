import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"

const root = join(import.meta.dirname, "../..")
const committed = 1_750_000_000

let outer = ""
let tree = ""
const git = (folder: string, ...args: ReadonlyArray<string>) => {
  const who = { GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@b", GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@b" }
  const env = { PATH: process.env["PATH"], GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null", ...who }
  execFileSync("git", args, { cwd: folder, env: { ...env, GIT_COMMITTER_DATE: `${committed} +0000` }, stdio: "ignore" })
}
const write = (name: string, text: string, seconds: number) => {
  const file = join(tree, name)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  utimesSync(file, seconds, seconds)
}
const sources = (given = "") => {
  const env = { PATH: process.env["PATH"], SOURCE_DATE_EPOCH: given }
  const said = execFileSync(join(tree, "scripts/sources"), { env, encoding: "utf8" })
  const [, time, hash] = /^(\d+) ([\da-f]{8})\n$/.exec(said) ?? assert.fail(said)
  return { time: Number(time), hash }
}

beforeEach(() => {
  outer = mkdtempSync(join(tmpdir(), "camera-service-sources-"))
  tree = join(outer, "tree")
  for (const name of ["src/main.ts", "schema/Camera.ts", "packaging/debian/postinst", "docs/box.md"]) {
    write(name, "as it was", committed - 100)
  }
  for (const name of ["README.md", "package.json", "package-lock.json", "tsconfig.json"]) {
    write(name, "as it was", committed - 100)
  }
  write("scripts/sources", "", 0)
  copyFileSync(join(root, "scripts/sources"), join(tree, "scripts/sources"))
  utimesSync(join(tree, "scripts/sources"), committed - 100, committed - 100)
})
afterEach(() => rmSync(outer, { recursive: true, force: true }))

const commit = (folder: string) => {
  git(folder, "init", "--quiet")
  git(folder, "add", ".")
  git(folder, "commit", "--quiet", "--message", "all")
}

describe("what a package is made of", () => {
  it("is told apart to the byte, and the same wherever it lies and whenever it was copied", () => {
    commit(tree)
    const first = sources()
    assert.strictEqual(first.time, committed)
    assert.deepStrictEqual(sources(), first)
    write("packaging/debian/postinst", "as it was", committed + 50)
    assert.deepStrictEqual(sources(), first)
    write("packaging/debian/postinst", "as it is", committed - 50)
    assert.notStrictEqual(sources().hash, first.hash)
    assert.strictEqual(sources(String(committed + 7)).time, committed + 7)
  })

  it("is later by each edit that is not committed yet", () => {
    commit(tree)
    write("src/main.ts", "mended", committed + 50)
    assert.strictEqual(sources().time, committed + 50)
    git(tree, "add", ".")
    write("src/new.ts", "made", committed + 60)
    assert.strictEqual(sources().time, committed + 60)
    rmSync(join(tree, "src/new.ts"))
    rmSync(join(tree, "docs/box.md"))
    assert.strictEqual(sources().time, committed + 50)
  })

  it("is known of a tarball too, which has nothing of the repository around it", () => {
    const alone = sources()
    assert.strictEqual(alone.time, committed - 100)
    commit(outer)
    assert.deepStrictEqual(sources(), alone)
    write("docs/box.md", "mended", committed + 50)
    assert.strictEqual(sources().time, committed + 50)
  })
})
