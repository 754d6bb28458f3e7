import { realPrograms } from "../support/App.ts"
import { recordingBehaviour } from "../suites/recordings.ts"

recordingBehaviour("recordings over the real MediaMTX and FFmpeg", realPrograms)
