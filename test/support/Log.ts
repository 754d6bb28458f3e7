import * as Logger from "effect/Logger"
import { lineOf } from "../../src/telemetry/Logs.ts"

/** What a line says, whenever that was. */
interface Line {
  readonly level: string
  readonly message: string
  readonly [field: string]: unknown
}

/** What is logged where its layer is provided, as the service would write it. */
export const listening = () => {
  const lines: Array<Line> = []
  const logger = Logger.make((options) => {
    const { timestamp: _timestamp, ...line } = lineOf(options)
    // the test's own clock says so on a machine that takes more than a second for a step
    if (!line.message.startsWith("A test is using time")) lines.push(line)
  })
  return { lines, layer: Logger.layer([logger]) }
}
