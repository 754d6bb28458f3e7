import { readdirSync } from "node:fs"
import { join } from "node:path"
import type { Scenario } from "./Scenario.ts"

/** A folder's scenarios, those that switch the machine off last; with names from the command line only these files. */
export const loadScenarios = async (
  folder: string,
  files: ReadonlyArray<string> = []
): Promise<ReadonlyArray<Scenario>> => {
  const wanted = (file: string): boolean => files.length === 0 || files.some((name) => file.startsWith(name))
  const names = readdirSync(folder).filter((file) => file.endsWith(".ts") && wanted(file))
  const modules = await Promise.all(names.sort().map((file) => import(join(folder, file))))
  const all = modules.map((module: { readonly default: Scenario }) => module.default)
  return [
    ...all.filter(({ afterReboot }) => afterReboot === undefined),
    ...all.filter(({ afterReboot }) => afterReboot !== undefined)
  ]
}
