import { onFakes } from "../support/App.ts"
import { streamBehaviour } from "../suites/streams.ts"

streamBehaviour("streams over fakes", onFakes)
