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

const text = (name: string) => readFileSync(join(source, name), "utf8")

/** Makes what puts files into the folder, each compressed beside it, and notes what `files.json` says of them. */
const makeFiles = (folder: string) => {
  const files: Record<string, unknown> = {}

  /** Gives the path that it has for browsers. */
  const write = (path: string, file: string, content: string): string => {
    const bytes = Buffer.from(content)
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
      etag: `"${digest(content)}"`,
      encodings: compressed ? ["br", "gzip"] : []
    }
    return path
  }

  /** The same, by a name that tells what is in it. */
  const asset = (name: string, content: string): string => {
    const ending = extname(name)
    const file = `${name.slice(0, -ending.length)}-${digest(content).slice(0, 10)}${ending}`
    return write(pathOf(file), file, content)
  }

  return { files, write, asset }
}

const pathOf = (file: string): string => `/console/${file}`

const makeStyles = (): string => {
  const { code } = bundle({ filename: join(source, "console.css"), minify: true, targets: lightningTargets })
  return code.toString()
}

/** The scripts that are needed: the large one, the file that is loaded before it, what it imports, and what is loaded later. */
const makeScripts = async (icons: string) => {
  const scripts = await rolldown({
    // a script of its own is there, and run, while the large one is on its way
    input: { console: join(source, "main.tsx"), first: join(source, "first.ts") },
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
  const chunks = output.map((chunk) => {
    if (chunk.type !== "chunk") throw new Error(`${chunk.fileName}: the console is made of scripts`)
    return chunk
  })
  const entry = chunks.find(({ isEntry, name }) => isEntry && name === "console")
  // of the first, which the large one needs too, there may be another that does nothing but load it
  const imports = [...new Set(entry?.imports)]
  const first = imports.find((name) => name.startsWith("first-"))
  if (entry === undefined || first === undefined) throw new Error("the console's two scripts are not there")
  const isNeeded = (chunk: (typeof chunks)[number]) =>
    !chunk.isEntry || chunk === entry || imports.includes(chunk.fileName)
  const modules = chunks.flatMap(({ moduleIds }) => moduleIds)
  return { chunks: chunks.filter(isNeeded), entry: entry.fileName, first, imports, modules }
}

const build = async (folder: string) => {
  mkdirSync(folder, { recursive: true })
  const { asset, files, write } = makeFiles(folder)
  const icons = asset("icons.svg", text("icons.svg").replaceAll(/\n\s*/g, ""))
  const markPicture = text("mark.svg").trim()
  const mark = asset("mark.svg", markPicture)
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
  const styles = asset("console.css", makeStyles())
  const { chunks, entry, first, imports, modules } = await makeScripts(icons)
  for (const { code, fileName } of chunks) write(pathOf(fileName), fileName, code)

  const page = text("index.html")
    .replace("%STYLES%", styles)
    .replace("%MARK%", mark)
    .replace("%MARK_PICTURE%", markPicture)
    .replace("%MANIFEST%", manifest)
    .replace("%FIRST%", pathOf(first))
    .replace("%SCRIPT%", pathOf(entry))
    .replace(
      "%PRELOADS%",
      imports
        // it is asked for by its own tag
        .filter((name) => name !== first)
        .map((name) => `<link rel="modulepreload" href="${pathOf(name)}" />`)
        .join("")
    )
  write("/", "index.html", page)
  writeFileSync(join(folder, "files.json"), JSON.stringify(files))
  writeFileSync(join(folder, "packages.json"), `${JSON.stringify(packagesOf(modules), undefined, 2)}\n`)

  // what a browser loads before it shows anything
  const initial = [entry, ...imports].reduce((sum, name) => sum + gzipped(join(folder, name)), 0)
  process.stdout.write(`build: dist/console, ${Math.round(initial / 1024)} KiB of script at first (gzip)\n`)
}

const digest = (text: string): string => createHash("sha256").update(text).digest("base64url").slice(0, 27)

const gzipped = (file: string): number => gzipSync(readFileSync(file), { level: 9 }).length

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error("console.ts FOLDER")
await build(folder)
