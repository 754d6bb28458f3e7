import * as Logger from "effect/Logger"
import * as References from "effect/References"

export type Line = Readonly<Record<string, unknown>>

/** What the log is told, with the message. */
export const listening = () => {
  const lines: Array<Line> = []
  const logger = Logger.make(({ fiber, message }) => {
    lines.push({ message: String(message), ...fiber.getRef(References.CurrentLogAnnotations) })
  })
  return { lines, layer: Logger.layer([logger]) }
}
