/**
 * Whether the name matches the glob: `*` stands for any characters, `?` for one; upper and lower case are the same, and
 * all else stands for itself. Takes time in proportion to the product of the lengths at most, whatever the glob.
 */
export const matchesGlob = (name: string, glob: string): boolean => {
  const text = [...name.toLowerCase()]
  const pattern = [...glob.toLowerCase()]
  let t = 0
  let p = 0
  // where the last star stands, and up to where it has swallowed the text
  let star = -1
  let swallowed = 0
  while (t < text.length) {
    // first the star: a star in the text must not be taken for the same character of the pattern
    if (pattern[p] === "*") {
      star = p++
      swallowed = t
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === text[t])) {
      p++
      t++
    } else if (star >= 0) {
      p = star + 1
      t = ++swallowed
    } else {
      return false
    }
  }
  while (pattern[p] === "*") p++
  return p === pattern.length
}
