import { realPrograms } from "../support/App.ts"
import { pathBehaviour } from "../suites/paths.ts"

pathBehaviour("paths over the real MediaMTX", realPrograms)
