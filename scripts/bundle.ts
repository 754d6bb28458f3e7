import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { rolldown, type Plugin } from "rolldown"
import { packagesOf } from "./parts.ts"

/**
 * The production bundle, for `scripts/build`:
 *
 * - `bundle.ts write FOLDER` writes it. One minified CommonJS file needs half the memory of the modules that it is made
 *   of; what is loaded later (YAML, the OpenTelemetry SDK) stays in files of its own.
 * - `bundle.ts warm` fills its code cache, in dist, from where it is run. V8 takes no code that was made with other flags,
 *   so this goes through the same launcher as any start.
 */

const root = join(import.meta.dirname, "..")
const launcher = join(import.meta.dirname, "camera-service")

/** Beside each file, with its name before it. */
const codeCache = ".cache"

/** Node's TLS, and zlib, cost 5 MB: what requires them for cases that do not come up here must not load them. */
const lazyBuiltins = new Set(["https", "tls", "zlib"])

const lazily: Plugin = {
  name: "lazy-builtins",
  resolveId(source, importer, { kind }) {
    // what is imported when it is needed is late enough, and whole
    if (kind === "dynamic-import") return null
    const name = source.replace(/^node:/, "")
    return lazyBuiltins.has(name) && importer !== undefined && !importer.startsWith("\0") ? `\0lazy:${name}` : null
  },
  load(id) {
    if (!id.startsWith("\0lazy:")) return null
    const name = JSON.stringify(`node:${id.slice("\0lazy:".length)}`)
    return `module.exports = new Proxy({}, { get: (_, key) => require(${name})[key] })`
  }
}

/**
 * The file that is run. Another Node ends here: an older one lacks modules that main.cjs requires before it can say so.
 * `module.enableCompileCache` would be less to write, and caches what is compiled when a file is loaded; nearly all of it is
 * when it is first called (35 ms of a start). V8 takes no code that it made with other flags, or as another version. A
 * package has none: it differs from run to run, and what a service could write no later one may run.
 */
const launch = `if (process.versions.node.split(".")[0] !== "24") {
  const message = "Node 24 is needed, this is " + process.version + ": run scripts/camera-service, which brings its own"
  // as src/main.ts says it: a service's words are its log's
  const format = process.env.CAMERA_SERVICE_TELEMETRY_LOG_FORMAT
  const isJson = process.argv[2] === "serve" && (format === "json" || (format !== "pretty" && !process.stderr.isTTY))
  const line = { timestamp: new Date().toISOString(), level: "fatal", message, exit_status: 69 }
  process.stderr.write(isJson ? JSON.stringify(line) + "\\n" : "camera-service: " + message + "\\n")
  process.exit(69)
}
const { existsSync, readFileSync } = require("node:fs")
const { createRequire } = require("node:module")
const { dirname } = require("node:path")
const { Script } = require("node:vm")
const usual = require.extensions[".js"]
// what is loaded later too
require.extensions[".cjs"] = (module, filename) => {
  if (dirname(filename) !== __dirname) return usual(module, filename)
  const source = "(function (exports, require, module, __filename, __dirname) {" + readFileSync(filename, "latin1") + "\\n})"
  const cache = filename + "${codeCache}"
  const script = new Script(source, { filename, cachedData: existsSync(cache) ? readFileSync(cache) : undefined })
  script.runInThisContext()(module.exports, createRequire(filename), module, filename, dirname(filename))
}
require("./main.cjs")
`

/** For a run that fills the cache: what was compiled until it is asked to end is put there. */
const keepCode = `const { writeFileSync } = require("node:fs")
const vm = require("node:vm")
vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options)
    process.once("SIGTERM", () => writeFileSync(options.filename + "${codeCache}", this.createCachedData()))
  }
}
`

/** V8 keeps a source with one character beyond Latin-1 in two bytes a character: 0.7 MB here, for an ellipsis. */
const escapeNonAscii = (code: string): string =>
  code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)

const write = async (folder: string) => {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly version: string }
  const epoch = process.env["SOURCE_DATE_EPOCH"]
  const built = epoch === undefined ? new Date() : new Date(Number(epoch) * 1000)
  const bundle = await rolldown({
    input: join(root, "src/main.ts"),
    platform: "node",
    // it is native
    external: ["koffi"],
    plugins: [lazily],
    transform: {
      define: {
        __VERSION__: JSON.stringify(version),
        __BUILD_DATE__: JSON.stringify(built.toISOString()),
        // Effect's ConfigProvider looks for Vite's; CommonJS has none
        "import.meta": "{}"
      }
    }
  })
  const { output } = await bundle.write({
    dir: folder,
    format: "cjs",
    // a script of vm's has no import() but by an experiment of Node's
    dynamicImportInCjs: false,
    minify: true,
    // else what later parts share with the start is split off, and each use of it there goes through a getter
    codeSplitting: { groups: [{ name: "start", tags: ["$initial"] }] },
    entryFileNames: "main.cjs",
    chunkFileNames: "[name]-[hash].cjs"
  })
  await bundle.close()
  for (const chunk of output) {
    if (chunk.type === "chunk") writeFileSync(join(folder, chunk.fileName), escapeNonAscii(chunk.code))
  }
  writeFileSync(join(folder, "camera-service.cjs"), launch)
  const modules = output.flatMap((chunk) => (chunk.type === "chunk" ? chunk.moduleIds : []))
  writeFileSync(join(folder, "packages.json"), `${JSON.stringify(packagesOf(modules), undefined, 2)}\n`)
}

/** As many ports as there are names; all are held until the last one is known, so that no two are the same. */
const freePorts = async (names: ReadonlyArray<string>): Promise<Record<string, string>> => {
  const servers = names.map(() => createServer().listen(0, "127.0.0.1"))
  await Promise.all(servers.map((server) => once(server, "listening")))
  const ports = servers.map((server) => {
    const address = server.address()
    return typeof address === "object" && address !== null ? String(address.port) : ""
  })
  await Promise.all(servers.map((server) => once(server.close(), "close")))
  return Object.fromEntries(names.map((name, index) => [name, ports[index] ?? ""]))
}

/** For a run that looks whether V8 takes the cache. */
const refuseStale = `const vm = require("node:vm")
vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options)
    if (options.cachedData === undefined || this.cachedDataRejected) process.exit(1)
  }
}
`

const run = async (args: ReadonlyArray<string>, environment: NodeJS.ProcessEnv, until?: Promise<unknown>) => {
  const child = spawn(launcher, args, { env: environment, stdio: ["ignore", "ignore", "pipe"] })
  let complaint = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (complaint += text))
  const exited = once(child, "exit")
  if (until !== undefined) {
    await Promise.race([until, exited])
    child.kill("SIGTERM")
  }
  const [status] = (await exited) as ReadonlyArray<unknown>
  if (status !== 0) throw new Error(`camera-service ${args.join(" ")}: status ${status}: ${complaint.slice(-2000)}`)
}

/** Until the service is ready, at most 10 s, and has answered a call: what is compiled for that is needed by every start. */
const started = async (ports: Record<string, string>) => {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const ready = await fetch(`http://127.0.0.1:${ports["CAMERA_SERVICE_HEALTH_PORT"]}/health/ready`).then(
      (response) => response.ok,
      () => false
    )
    if (ready) break
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const socket = new WebSocket(`ws://127.0.0.1:${ports["CAMERA_SERVICE_SERVER_PORT"]}/ws`)
  await once(socket, "open")
  socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }))
  await once(socket, "message")
  socket.close()
}

const warm = async () => {
  const data = mkdtempSync(join(tmpdir(), "camera-service-"))
  try {
    const ports = await freePorts([
      "CAMERA_SERVICE_SERVER_PORT",
      "CAMERA_SERVICE_HEALTH_PORT",
      "CAMERA_SERVICE_MEDIAMTX_API_PORT",
      "CAMERA_SERVICE_MEDIAMTX_RTSP_PORT",
      "CAMERA_SERVICE_MEDIAMTX_HLS_PORT",
      "CAMERA_SERVICE_MEDIAMTX_WEBRTC_PORT",
      "CAMERA_SERVICE_MEDIAMTX_WEBRTC_UDP_PORT",
      "CAMERA_SERVICE_MEDIAMTX_WEBRTC_TCP_PORT",
      "CAMERA_SERVICE_MEDIAMTX_PLAYBACK_PORT"
    ])
    const environment = {
      ...process.env,
      ...ports,
      CAMERA_SERVICE_DATA_DIR: data,
      CAMERA_SERVICE_CAMERAS_V4L2: "false",
      CAMERA_SERVICE_CAMERAS_SYNTHETIC: "1"
    }
    const under = (name: string, code: string): NodeJS.ProcessEnv => {
      const hook = join(data, name)
      writeFileSync(hook, code)
      return { ...environment, NODE_OPTIONS: `--require=${hook}` }
    }
    const isTaken = () =>
      run(["--version"], under("refuse-stale.cjs", refuseStale)).then(
        () => true,
        () => false
      )
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await run(["serve"], under("keep-code.cjs", keepCode), started(ports))
      if (await isTaken()) return
    }
    // on a busy machine the service has set flags of V8's by then (src/self/Memory.ts)
    process.stderr.write("build: V8 does not take the code that it has kept: starts take a while longer\n")
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
}

const [task, folder] = process.argv.slice(2)
if (task === "write" && folder !== undefined) {
  await write(folder)
} else if (task === "warm") {
  await warm()
} else {
  throw new Error("bundle.ts write FOLDER, or bundle.ts warm")
}
