import { fakes } from "../support/App.ts"
import { recordingBehaviour } from "../suites/recordings.ts"

recordingBehaviour("recordings over fakes", fakes)
