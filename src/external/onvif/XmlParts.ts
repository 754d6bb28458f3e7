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
  const opening = new RegExp(`<${prefix}${name}(?=[\\s/>])`, "g")
  const closing = new RegExp(`</${prefix}${name}\\s{0,8}>`, "g")
  const parts: Array<string> = []
  let rest = ""
  let at = 0
  for (;;) {
    opening.lastIndex = at
    const begin = opening.exec(text)?.index ?? -1
    if (begin === -1) break
    restOfTag.lastIndex = opening.lastIndex
    // one that does not end is not well-formed: the rest is for the parser to refuse
    if (!restOfTag.test(text)) break
    let end = restOfTag.lastIndex
    if (text[end - 2] !== "/") {
      closing.lastIndex = end
      if (closing.exec(text) === null) break
      end = closing.lastIndex
    }
    parts.push(text.slice(begin, end))
    rest += `${text.slice(at, begin)}<${name}/>`
    at = end
  }
  return { rest: rest + text.slice(at), parts }
}

/** What is left of a tag, its end included; a value may have what looks like that. */
const restOfTag = /[^"'>]*(?:(?:"[^"]*"|'[^']*')[^"'>]*)*>/y
