import { realPrograms } from "../support/App.ts"
import { streamBehaviour } from "../suites/streams.ts"

streamBehaviour("streams over the real MediaMTX and FFmpeg", realPrograms)
