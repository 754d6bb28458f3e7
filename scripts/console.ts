import { bundle } from "lightningcss"
import { createHash } from "node:crypto"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { extname, join } from "node:path"
import { brotliCompressSync, constants, gzipSync } from "node:zlib"
import { rolldown } from "rolldown"
import { packagesOf } from "./parts.ts"

/**
 * The web console, for `scripts/build`: `console.ts FOLDER` writes the page, what it loads, each compressed beside it, and
 * `files.json`, by which the service knows them (src/http/ConsoleFiles.ts), and `packages.json`, of which packages they are
 * made. Names change with what is in the files.
 */

const source = join(import.meta.dirname, "../src/console")

/** The oldest browsers it is made for: Chromium and Safari of March 2023, and the first Firefox that tells of video frames. */
const target = ["chrome111", "firefox132", "safari16.4"]
const lightningTargets = { chrome: 111 << 16, firefox: 132 << 16, safari: (16 << 16) | (4 << 8) }

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml; charset=utf-8",
  ".webmanifest": "application/manifest+json; charset=utf-8"
}

/** What is smaller is not worth two more files. */
const leastToCompress = 512

const build = async (folder: string) => {
  const files: Record<string, unknown> = {}

  const write = (path: string, file: string, text: string) => {
    const bytes = Buffer.from(text)
    const compressed = bytes.length >= leastToCompress
    writeFileSync(join(folder, file), bytes)
    if (compressed) {
      const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY }
      writeFileSync(join(folder, `${file}.br`), brotliCompressSync(bytes, { params }))
      writeFileSync(join(folder, `${file}.gz`), gzipSync(bytes, { level: 9 }))
    }
    files[path] = {
      file,
      type: types[extname(file)],
      etag: `"${digest(text)}"`,
      encodings: compressed ? ["br", "gzip"] : []
    }
    return path
  }
  const asset = (name: string, text: string) => {
    const ending = extname(name)
    const file = `${name.slice(0, -ending.length)}-${digest(text).slice(0, 10)}${ending}`
    return write(`/console/${file}`, file, text)
  }
  const text = (name: string) => readFileSync(join(source, name), "utf8")

  mkdirSync(folder, { recursive: true })
  const icons = asset("icons.svg", text("icons.svg").replaceAll(/\n\s*/g, ""))
  const mark = asset("mark.svg", text("mark.svg"))
  const manifest = asset(
    "console.webmanifest",
    JSON.stringify({
      name: "Camera service",
      short_name: "Cameras",
      start_url: "/",
      display: "standalone",
      icons: [{ src: mark, sizes: "any", type: "image/svg+xml" }]
    })
  )
  const { code: style } = bundle({
    filename: join(source, "console.css"),
    minify: true,
    targets: lightningTargets
  })
  const styles = asset("console.css", style.toString())

  const scripts = await rolldown({
    // a script of its own is there, and run, while the large one is on its way
    input: { console: join(source, "main.tsx"), first: join(source, "session/FirstSocket.ts") },
    platform: "browser",
    transform: {
      target,
      define: { __ICONS__: JSON.stringify(icons), "import.meta.env": "undefined" }
    }
  })
  const { output } = await scripts.generate({
    format: "esm",
    minify: true,
    entryFileNames: "[name]-[hash].js",
    chunkFileNames: "[name]-[hash].js"
  })
  await scripts.close()
  let main = ""
  let first = ""
  let preloads: ReadonlyArray<string> = []
  for (const chunk of output) {
    if (chunk.type !== "chunk") throw new Error(`${chunk.fileName}: the console is made of scripts`)
    const path = write(`/console/${chunk.fileName}`, chunk.fileName, chunk.code)
    if (chunk.isEntry && chunk.name === "first") first = path
    else if (chunk.isEntry) {
      main = path
      preloads = chunk.imports.map((name) => `/console/${name}`)
    }
  }

  const page = text("index.html")
    .replace("%STYLES%", styles)
    .replace("%MARK%", mark)
    .replace("%MANIFEST%", manifest)
    .replace("%FIRST%", first)
    .replace("%SCRIPT%", main)
    .replace("%PRELOADS%", preloads.map((path) => `<link rel="modulepreload" href="${path}" />`).join(""))
  write("/", "index.html", page)
  writeFileSync(join(folder, "files.json"), JSON.stringify(files))
  const modules = output.flatMap((chunk) => (chunk.type === "chunk" ? chunk.moduleIds : []))
  writeFileSync(join(folder, "packages.json"), `${JSON.stringify(packagesOf(modules), undefined, 2)}\n`)

  // what a browser loads before it shows anything
  const initial = [main, ...preloads].reduce((sum, path) => sum + gzipped(join(folder, path.slice(9))), 0)
  process.stdout.write(`build: dist/console, ${Math.round(initial / 1024)} KiB of script at first (gzip)\n`)
}

const digest = (text: string): string => createHash("sha256").update(text).digest("base64url").slice(0, 27)

const gzipped = (file: string): number => gzipSync(readFileSync(file), { level: 9 }).length

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error("console.ts FOLDER")
await build(folder)
