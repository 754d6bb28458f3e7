import * as Effect from "effect/Effect"
import { globSync, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { said } from "./Said.ts"

const root = join(import.meta.dirname, "../..")

/** The root that scripts/image makes for amd64 or arm64, unpacked; `through`: what starts that. Its /dev is an engine's matter. */
export const imageRoot = Effect.fnUntraced(function* (arch: string, ...through: ReadonlyArray<string>) {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "camera-service-root-"))),
    (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true, maxRetries: 5 }))
  )
  const [program = "", ...args] = [...through, join(root, "scripts/image"), arch]
  said(program, ...args)
  const [packed = ""] = globSync(`dist/packages/camera-service_*_${arch}.rootfs.tar`, { cwd: root })
  const made = join(folder, "root")
  mkdirSync(made)
  said("tar", "--extract", "--file", packed, "--directory", made, "--exclude=./dev/*")
  return made
})
