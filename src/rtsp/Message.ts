/** RTSP messages (RFC 2326) as text. Pure. */

/** Names in lower case; a header that comes several times has several values. */
export type Headers = ReadonlyMap<string, ReadonlyArray<string>>

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

/** What one end asks of the other. */
export interface Asked {
  readonly method: string
  readonly uri: string
  readonly headers: Headers
  readonly body: string
}

export type Message = ({ readonly _tag: "Reply" } & Reply) | ({ readonly _tag: "Asked" } & Asked)

/** The head of a message, and how many bytes of a body follow it. */
export interface Head {
  readonly message: Message
  readonly bodyLength: number
}

/** A session description of a camera has some hundred bytes to a few kilobytes. */
const maxBody = 64 * 1024
const maxHeaders = 64

/** The first value. */
export const headerOf = (headers: Headers, name: string): string | undefined => headers.get(name)?.[0]

const headersIn = (lines: ReadonlyArray<string>): Headers | undefined => {
  if (lines.length > maxHeaders) return undefined
  const headers = new Map<string, Array<string>>()
  for (const line of lines) {
    const colon = line.indexOf(":")
    if (colon <= 0) return undefined
    const name = line.slice(0, colon).trim().toLowerCase()
    const value = line.slice(colon + 1).trim()
    const present = headers.get(name)
    if (present === undefined) headers.set(name, [value])
    else present.push(value)
  }
  return headers
}

/** Undefined: it is more than we take, or told in two ways. */
const lengthIn = (headers: Headers): number | undefined => {
  const told = new Set(headers.get("content-length"))
  const [value = "0"] = told
  const length = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN
  return told.size <= 1 && length <= maxBody ? length : undefined
}

/** Reads a head, without the empty line that ends it; undefined where it is none. A line that is folded is one line. */
export const parseHead = (text: string): Head | undefined => {
  const [first = "", ...lines] = text.replace(/\r?\n[\t ]+/g, " ").split(/\r?\n/)
  const headers = headersIn(lines)
  const bodyLength = headers === undefined ? undefined : lengthIn(headers)
  if (headers === undefined || bodyLength === undefined) return undefined
  const status = /^RTSP\/\d\.\d +(\d{3})(?: |$)/.exec(first)?.[1]
  if (status !== undefined) {
    return { message: { _tag: "Reply", status: Number(status), headers, body: "" }, bodyLength }
  }
  const [, method, uri = ""] = /^([A-Z_]{1,32}) +(\S+) +RTSP\/\d\.\d$/.exec(first) ?? []
  return method === undefined ? undefined : { message: { _tag: "Asked", method, uri, headers, body: "" }, bodyLength }
}

/** What may not stand in a line of a message: it would be another line, or another word. */
export const isOneWord = (text: string): boolean => /^[\u{21}-\u{7e}\u{80}-\u{10ffff}]+$/u.test(text)

/** Those of a message to be sent; what has no value is left out. */
export type SentHeaders = Readonly<Record<string, string | undefined>>

/** No value of a header may have more than one line. */
export const serialise = (first: string, headers: SentHeaders, body?: string): Uint8Array => {
  const bytes = Buffer.from(body ?? "")
  const all = { ...headers, ...(bytes.length === 0 ? {} : { "Content-Length": String(bytes.length) }) }
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]))
  // oxlint-disable-next-line no-control-regex -- they are what has to go: a line of the caller's would be a header of ours
  const oneLine = (text: string) => text.replace(/[\u0000-\u001f\u007f]/g, " ")
  return Buffer.concat([Buffer.from(`${[first, ...lines].map(oneLine).join("\r\n")}\r\n\r\n`), bytes])
}
