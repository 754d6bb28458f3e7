import { fakes } from "../support/App.ts"
import { snapshotBehaviour } from "../suites/snapshots.ts"

snapshotBehaviour("snapshots over fakes", fakes)
