import { chmodSync, statSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, join } from "node:path"

const project = join(import.meta.dirname, "../../..")
const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "camera-service/mediamtx")

/** Lets every user of this machine reach the project and MediaMTX; the host's own files stay as they are. */
export const openUp = (): void => {
  for (const place of [project, cache]) {
    for (let folder = place; folder !== dirname(folder); folder = dirname(folder)) {
      chmodSync(folder, statSync(folder).mode | 0o055)
    }
  }
}
