/** A part of a file, first and last byte inclusive. */
export interface Range {
  readonly first: number
  readonly last: number
}

/**
 * The one range that a `Range` header asks for (RFC 9110, 14.1 and 14.2). Undefined: answer with the whole file, because
 * there is no header, it is malformed, or asks for several ranges, all of which a server may do.
 */
export const parseRange = (header: string | undefined, size: number): Range | "unsatisfiable" | undefined => {
  const [, from = "", to = ""] = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header ?? "") ?? []
  if (from === "" && to === "") return undefined
  if (from === "") {
    const length = Math.min(Number(to), size)
    return length === 0 ? "unsatisfiable" : { first: size - length, last: size - 1 }
  }
  const first = Number(from)
  const last = to === "" ? size - 1 : Math.min(Number(to), size - 1)
  if (to !== "" && Number(to) < first) return undefined
  return first >= size ? "unsatisfiable" : { first, last }
}

/** What there is, as validators (RFC 9110, 8.8). */
export interface Validators {
  /** strong */
  readonly etag: string
  /** milliseconds since 1970; HTTP tells whole seconds of it */
  readonly modified: number
}

type Header = string | undefined

/** The client's conditions (RFC 9110, 13.2.2): whether the file is sent, is what the client has, or is not what it wants. */
export const conditionOf = (
  header: (name: string) => Header,
  { etag, modified }: Validators
): "send" | "not modified" | "precondition failed" => {
  const ifMatch = header("if-match")
  const isWanted =
    ifMatch === undefined
      ? secondsOf(modified) <= dateOf(header("if-unmodified-since"), Infinity)
      : ifMatch.trim() === "*" || tagsIn(ifMatch).includes(etag)
  if (!isWanted) return "precondition failed"
  const ifNoneMatch = header("if-none-match")
  const isKnown =
    ifNoneMatch === undefined
      ? secondsOf(modified) <= dateOf(header("if-modified-since"), -Infinity)
      : // weak comparison
        ifNoneMatch.trim() === "*" || tagsIn(ifNoneMatch).some((one) => one.replace(/^W\//, "") === etag)
  return isKnown ? "not modified" : "send"
}

/** The part goes with what the client has (`If-Range`: a strong ETag or a date; none: it always does). */
export const rangeApplies = (header: Header, etag: string, lastModified: string): boolean =>
  header === undefined || header.trim() === etag || header.trim() === lastModified

const tagsIn = (header: string): ReadonlyArray<string> => header.split(",").map((one) => one.trim())

const secondsOf = (millis: number): number => Math.floor(millis / 1000)

/** Seconds since 1970; `other` where there is no date, or none that makes sense, which is as none (13.1.3). */
const dateOf = (header: Header, other: number): number => {
  const millis = Date.parse(header ?? "")
  return Number.isNaN(millis) ? other : secondsOf(millis)
}
