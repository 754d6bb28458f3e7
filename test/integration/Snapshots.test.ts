import { realPrograms } from "../support/App.ts"
import { snapshotBehaviour } from "../suites/snapshots.ts"

snapshotBehaviour("snapshots over the real MediaMTX and FFmpeg", realPrograms)
