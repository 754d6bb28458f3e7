import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"

const cached = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "camera-service/promtool/promtool")
const program = existsSync(cached) ? cached : "promtool"

/** What Prometheus's own checker says; undefined where there is none. */
export const promtool = (...args: ReadonlyArray<string>) => {
  const { error, status, stderr, stdout } = spawnSync(program, args, { encoding: "utf8" })
  return error === undefined ? { status, said: stderr + stdout } : undefined
}

/** What Prometheus's own checker has to say of metrics in its text format; undefined where there is none. */
export const checkMetrics = (text: string): string | undefined => {
  const { error, status, stderr, stdout } = spawnSync(program, ["check", "metrics"], { input: text, encoding: "utf8" })
  if (error !== undefined) return undefined
  return status === 0 ? stderr + stdout : `status ${status}: ${stderr}${stdout}`
}
