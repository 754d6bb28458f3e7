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

/** What the client has is what there is (`If-None-Match`, weak comparison: RFC 9110, 13.1.2). */
export const matchesAny = (header: string | undefined, etag: string): boolean =>
  header !== undefined &&
  (header.trim() === "*" || header.split(",").some((one) => one.trim().replace(/^W\//, "") === etag))

/** The part goes with what the client has (`If-Range`: a strong ETag or a date; none: it always does). */
export const rangeApplies = (header: string | undefined, etag: string, lastModified: string): boolean =>
  header === undefined || header.trim() === etag || header.trim() === lastModified
