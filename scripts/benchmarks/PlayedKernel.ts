import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { readdirSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { fakeKernel } from "../../test/device/v4l2/FakeSysfs.ts"
import { makeGround, type Service, startService } from "./Service.ts"

const program = join(import.meta.dirname, "../../test/lab/bench/played.ts")
/** As scripts/camera-service has them. */
const flags = ["--max-semi-space-size=1", "--disable-sigusr1", "--disable-warning=ExperimentalWarning"]
const environment = { UV_THREADPOOL_SIZE: "32", MALLOC_ARENA_MAX: "1" }

/** Where setup has put MediaMTX. */
const mediaMtxFolders = (): ReadonlyArray<string> => {
  const folder = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "camera-service/mediamtx")
  return readdirSync(folder).map((name) => join(folder, name))
}

export type Kernel = Effect.Success<typeof fakeKernel>

interface Options {
  readonly settings: Readonly<Record<string, string>>
  /** what each camera delivers, in the kernel's four characters */
  readonly formats: ReadonlyArray<string>
}

/** The program as it is, on a kernel of files: what is left of a camera without the device and the emulation. */
export const onPlayedKernel = async <A>(
  { formats, settings }: Options,
  use: (kernel: Kernel, service: Service) => Promise<A>
): Promise<A> => {
  const scope = Scope.makeUnsafe()
  const kernel = await Effect.runPromise(Scope.provide(fakeKernel, scope))
  await Effect.runPromise(kernel.prepare)
  using ground = await makeGround({ CAMERAS_V4L2: "true", ...settings })
  const PATH = [...mediaMtxFolders(), process.env["PATH"]].join(":")
  const onFiles = { ...ground, environment: { ...ground.environment, ...environment, PATH } }
  try {
    const command = [process.execPath, ...flags, program, kernel.root, ...formats]
    await using service = startService(onFiles, { command })
    await service.ready()
    return await use(kernel, service)
  } finally {
    await Effect.runPromise(Scope.close(scope, Exit.void))
  }
}
