import type { JsonReply } from "../src/ground/Loopback.ts"
import type { PathOptions } from "../src/process/MediaMtxReplies.ts"

/** What a path of MediaMTX has where nobody sets it, as far as the service looks at it (its `internal/conf/path.go`). */
const defaults: PathOptions = {
  source: "publisher",
  sourceOnDemand: false,
  maxReaders: 0,
  overridePublisher: true,
  record: false,
  recordPath: "./recordings/%path/%Y-%m-%d_%H-%M-%S-%f",
  recordFormat: "fmp4",
  recordPartDuration: "1s",
  recordSegmentDuration: "1h",
  recordDeleteAfter: "1d",
  runOnInit: "",
  runOnDemand: "",
  runOnDemandStartTimeout: "10s",
  runOnDemandCloseAfter: "10s",
  runOnReady: "",
  runOnRead: ""
}

/** A duration of zero comes back as an empty text (conf/duration.go). */
const shown = (options: PathOptions): PathOptions =>
  Object.fromEntries(Object.entries(options).map(([key, value]) => [key, value === "0s" ? "" : value]))

export const refusal = (status: number, error: string): JsonReply => ({ status, body: { status: "error", error } })
const done: JsonReply = { status: 200, body: { status: "ok" } }

export const page = (items: ReadonlyArray<unknown>): JsonReply => ({
  status: 200,
  body: { itemCount: items.length, pageCount: 1, items }
})

/**
 * MediaMTX's configuration of paths, one run long: what it refuses, and how a refused PATCH poisons every later call until
 * that path is put right (v1.16 to v1.21.0).
 */
export const makePaths = (pathDefaults: PathOptions) => {
  const paths = new Map<string, PathOptions>()
  let poison: string | undefined
  const base = { ...defaults, ...pathDefaults }
  const isInvalid = (options: PathOptions) => options["source"] === "publisher" && options["sourceOnDemand"] === true

  const set = (action: string, name: string, given: PathOptions): JsonReply => {
    const present = paths.get(name)
    if (action === "add" && present !== undefined) return refusal(400, "path already exists")
    if (action === "patch" && present === undefined) return refusal(404, "path configuration not found")
    const options = action === "patch" ? { ...present, ...given } : given
    if (isInvalid({ ...base, ...options })) {
      if (action === "patch") poison = name
      return refusal(400, "'sourceOnDemand' is useless when source is 'publisher'")
    }
    if (poison === name && action === "replace") poison = undefined
    if (poison !== undefined) return refusal(400, "'sourceOnDemand' is useless when source is 'publisher'")
    paths.set(name, options)
    return done
  }

  return {
    /** every option of a path; undefined where there is none */
    options: (name: string): PathOptions | undefined => {
      const own = paths.get(name)
      return own === undefined ? undefined : { ...base, ...own }
    },
    names: () => [...paths.keys()].sort(),
    defaults: (): JsonReply => ({ status: 200, body: { name: "", ...shown(base) } }),
    list: (): JsonReply =>
      page([...paths].sort().map(([name, own]) => Object.assign({ name }, shown({ ...base, ...own })))),
    set,
    /** refuses a change as if it were invalid */
    refuse: (action: string, name: string): JsonReply => {
      if (action === "patch" && paths.has(name)) poison = name
      return refusal(400, "invalid configuration")
    },
    remove: (name: string): JsonReply => {
      if (!paths.delete(name)) return refusal(404, "path configuration not found")
      if (poison === name) poison = undefined
      return done
    }
  }
}
