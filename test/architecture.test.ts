import { globSync, readFileSync } from "node:fs"
import { dirname, join, normalize } from "node:path"
import { describe, expect, it } from "vitest"

/**
 * The floors of the house, lowest first. A file imports from its own room and from lower floors; rooms on one floor do
 * not know one another.
 */
const floors: ReadonlyArray<ReadonlyArray<string>> = [
  ["schema"],
  ["media"],
  ["ground"],
  ["config"],
  ["telemetry"],
  ["facts"],
  ["self"],
  ["process", "rtsp"],
  ["storage"],
  ["auth"],
  ["device"],
  ["source"],
  ["stream"],
  ["snapshot", "recording"],
  ["external"],
  ["doctor"],
  ["health"],
  ["events"],
  ["metrics"],
  ["http"],
  ["rpc"],
  ["App.ts"],
  ["cli"],
  ["main.ts"],
  // a program of its own, in browsers
  ["console"]
]

/** These parts of Effect run, wait, hold state or wire, and have no place in a pure room. */
const impure =
  /^effect\/(Cache|Clock|Config|ConfigProvider|Context|Deferred|Effect|Fiber|FileSystem|Layer|LayerMap|Logger|Metric|PubSub|Queue|Random|RcMap|RcRef|Ref|Runtime|Schedule|Scope|Semaphore|Stream|SubscriptionRef|Tracer|[a-z].*)$/

const root = join(import.meta.dirname, "..")
const files = globSync(["src/**/*.{ts,tsx}", "schema/**/*.ts"], { cwd: root, exclude: ["schema/generated/**"] })
/** The test ground, for other people's tests too. */
const testing = globSync("testing/**/*.ts", { cwd: root })
const read = (file: string) => readFileSync(join(root, file), "utf8")

const importPattern = /^(?:import|export)\s(?:[^"'`;]*?\sfrom\s+)?"([^"]+)"|\bimport\("([^"]+)"\)/gm

const specifiers = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(importPattern)].map((match) => match[1] ?? match[2] ?? "")

/** The room of a file: its folder in src, `schema`, or the file's own name when it lies in src itself. */
const roomOf = (file: string): string => {
  const [top = "", room = ""] = file.split("/")
  return top === "src" ? room : top
}
const floorOf = (room: string): number => floors.findIndex((rooms) => rooms.includes(room))

interface Import {
  readonly from: string
  /** A file of this repository, or the specifier of a package. */
  readonly to: string
  readonly local: boolean
}

const imports: ReadonlyArray<Import> = files.flatMap((from) =>
  specifiers(read(from)).map((specifier) => {
    const local = specifier.startsWith(".")
    return { from, to: local ? normalize(join(dirname(from), specifier)) : specifier, local }
  })
)
const show = ({ from, to }: Import) => `${from} imports ${to}`

/** Every cycle that a walk along the imports comes upon, as the files in it. */
const cycles = (edges: ReadonlyMap<string, ReadonlyArray<string>>): ReadonlyArray<string> => {
  const found: Array<string> = []
  const done = new Set<string>()
  const walk = (file: string, trail: ReadonlyArray<string>) => {
    const start = trail.indexOf(file)
    if (start >= 0) {
      found.push([...trail.slice(start), file].join(" -> "))
    } else if (!done.has(file)) {
      for (const next of edges.get(file) ?? []) {
        walk(next, [...trail, file])
      }
      done.add(file)
    }
  }
  for (const file of edges.keys()) {
    walk(file, [])
  }
  return found
}

describe("the architecture", () => {
  it("has every folder on a floor", () => {
    expect(files.length).toBeGreaterThan(0)
    expect([...new Set(files.map(roomOf))].filter((room) => floorOf(room) < 0)).toEqual([])
  })

  it("imports go downward only", () => {
    const upward = imports.filter(({ from, local, to }) => {
      const [room, other] = [roomOf(from), roomOf(to)]
      return local && room !== other && floorOf(other) >= floorOf(room)
    })
    expect(upward.map(show)).toEqual([])
  })

  it("no file imports itself on a detour", () => {
    const edges = new Map(
      files.map((file) => [file, imports.filter((i) => i.local && i.from === file).map(({ to }) => to)])
    )
    expect(cycles(edges)).toEqual([])
    expect(
      cycles(
        new Map([
          ["a", ["b"]],
          ["b", ["c"]],
          ["c", ["b"]]
        ])
      )
    ).toEqual(["b -> c -> b"])
  })

  it("the schema runs in a browser: it needs neither src nor Node", () => {
    const foreign = imports.filter(
      ({ from, local, to }) =>
        roomOf(from) === "schema" && (local ? roomOf(to) !== "schema" : !to.startsWith("effect/"))
    )
    expect(foreign.map(show)).toEqual([])
  })

  it("the console runs in a browser: of this house it knows the contract alone, and needs no Node", () => {
    const foreign = imports.filter(
      ({ from, local, to }) =>
        roomOf(from) === "console" &&
        (local ? !["console", "schema"].includes(roomOf(to)) : !/^(effect\/|preact|@preact\/signals|hls\.js)/.test(to))
    )
    expect(foreign.map(show)).toEqual([])
  })

  it("the test ground needs no test runner, of Node's own SQLite in memory alone, and nothing of the tests", () => {
    const foreign = testing.flatMap((from) =>
      specifiers(read(from)).filter(
        (to) => /^(node:(?!path$|sqlite$)|vitest|@effect\/vitest)/.test(to) || to.startsWith("../test/")
      )
    )
    expect(foreign).toEqual([])
    expect(imports.filter(({ to }) => to.startsWith("testing/")).map(show)).toEqual([])
  })

  it.each(["media", "source"])("%s/ is pure: it needs neither Node nor a runtime", (room) => {
    const effects = imports.filter(
      ({ from, local, to }) => roomOf(from) === room && !local && (!to.startsWith("effect/") || impure.test(to))
    )
    expect(effects.map(show)).toEqual([])
  })

  it("above the ground nobody touches Node's own: these rooms know the syntax of paths alone, and types", () => {
    const nouns = [
      "device",
      "external",
      "storage",
      "recording",
      "snapshot",
      "stream",
      "auth",
      "process",
      "rtsp",
      "facts",
      "doctor",
      "health",
      "events",
      "metrics"
    ]
    const standing = new Set([...nouns, "http", "rpc", "config"])
    const inRooms = files.filter((file) => standing.has(roomOf(file)))
    const modules = inRooms.flatMap((file) =>
      [...read(file).matchAll(/^import (?!type ).*"(node:(?!path").*|ws|koffi)".*$/gm)].map(
        ([line]) => `${file}: ${line}`
      )
    )
    expect(modules).toEqual([])
    const natives =
      /\b(setImmediate|setTimeout|setInterval|performance\.now|Date\.now|new Date\(\)|Math\.random|randomUUID|(?<!")process\.(env|pid|stderr|stdin|arch|versions?|platform|memoryUsage|hrtime|uptime|cwd|on\(|kill))/
    expect(inRooms.filter((file) => natives.test(read(file)))).toEqual([])
  })

  it("nobody asks of which kind a camera's input is: the feed that it names is looked up in one place", () => {
    const asking = files.filter((file) => /" in (\w+\.)*input\b|\binput\.feed\b|\binput\.name [!=]==/.test(read(file)))
    expect(asking).toEqual(["src/stream/Feeds.ts"])
  })

  it("packages are imported module by module, which keeps the bundle small", () => {
    const barrels = imports.filter(({ to }) => /^(effect|@effect\/[a-z-]+)$/.test(to))
    expect(barrels.map(show)).toEqual([])
  })

  it("the environment is read by config/ only; main.ts hands it over", () => {
    const readers = files.filter(
      (file) => !["config", "main.ts"].includes(roomOf(file)) && /\bprocess\.env\b|\bprocess\[/.test(read(file))
    )
    expect(readers).toEqual([])
  })

  it("no source is longer than 250 lines, and nothing of the tests than 400", () => {
    const longer = (names: ReadonlyArray<string>, most: number) =>
      names.map((file) => ({ file, lines: read(file).split("\n").length - 1 })).filter(({ lines }) => lines > most)
    const others = globSync(["scripts/**/*.ts", "src/**/*.css"], { cwd: root })
    expect(longer([...files, ...testing, ...others], 250)).toEqual([])
    expect(longer(globSync("test/**/*.ts", { cwd: root }), 400)).toEqual([])
  })
})
