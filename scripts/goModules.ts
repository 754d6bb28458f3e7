import { readFileSync } from "node:fs"

/** What `go build` has written into a program of the modules in it: one a line (runtime/debug.BuildInfo). */
export const modulesIn = (program: string): ReadonlyArray<{ readonly name: string; readonly version: string }> => {
  const lines = readFileSync(program, "latin1").matchAll(/^dep\t(\S+)\t(v\S+)\t(?:h1:\S+)?$/gm)
  // it is there twice
  const found = new Map([...lines].map(([, name = "", version = ""]) => [name, version]))
  return [...found].map(([name, version]) => ({ name, version }))
}
