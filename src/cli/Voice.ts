import * as Logs from "../telemetry/Logs.ts"

/** What the program says on standard error beside the log: in words, or in lines like the log's. */
export interface Voice {
  readonly say: (
    level: "info" | "warning" | "fatal",
    message: string,
    fields?: Readonly<Record<string, unknown>>
  ) => void
  /** lines of JSON from now on, where the log is to have this format */
  readonly follow: (format: Logs.Format) => void
}

/** The format that a variable asks for; it may be any text. */
export const formatIn = (text: string | undefined): Logs.Format =>
  text === "json" || text === "pretty" ? text : "auto"

export const makeVoice = (): Voice => {
  let isJson = false
  return {
    say: (level, message, fields = {}) => {
      const line = { timestamp: new Date().toISOString(), level, message, ...fields }
      process.stderr.write(isJson ? `${JSON.stringify(line)}\n` : `camera-service: ${message}\n`)
    },
    follow: (format) => {
      isJson = !Logs.isPretty(format)
    }
  }
}
