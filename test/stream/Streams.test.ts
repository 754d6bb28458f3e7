import { fakes } from "../support/App.ts"
import { streamBehaviour } from "../suites/streams.ts"

streamBehaviour("streams over fakes", fakes)
