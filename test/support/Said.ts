import { execFileSync } from "node:child_process"
import { join } from "node:path"

/** What a program writes that is started in the project; dies with what it complained of. */
export const said = (program: string, ...args: ReadonlyArray<string>): string =>
  execFileSync(program, args, {
    cwd: join(import.meta.dirname, "../.."),
    encoding: "utf8",
    // Debian packages are compressed as little as can be
    env: { ...process.env, DPKG_DEB_COMPRESSOR_LEVEL: "0" },
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 1 << 26
  })
