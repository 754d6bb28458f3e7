/** A document without what was cut out of it: an empty element of the same name stands in the place of each part. */
export interface CutDocument {
  readonly rest: string
  readonly parts: ReadonlyArray<string>
}

/**
 * Cuts all elements of this name out of a document, each a document by itself: a recorder with 32 channels tells of each of
 * its profiles all that there is, and read at once they would hold the event loop up. Pure, and no parser: who makes such a
 * name of something else, or puts one into another, has made documents that are not well-formed.
 */
export const cutOut = (text: string, name: string): CutDocument => {
  const prefix = "(?:[\\w.-]{1,64}:)?"
  const opening = new RegExp(`<${prefix}${name}[\\s>]`, "g")
  const closing = new RegExp(`</${prefix}${name}\\s{0,8}>`, "g")
  const parts: Array<string> = []
  let rest = ""
  let at = 0
  for (;;) {
    opening.lastIndex = at
    const begin = opening.exec(text)?.index ?? -1
    closing.lastIndex = begin
    if (begin === -1 || closing.exec(text) === null) break
    parts.push(text.slice(begin, closing.lastIndex))
    rest += `${text.slice(at, begin)}<${name}/>`
    at = closing.lastIndex
  }
  return { rest: rest + text.slice(at), parts }
}
