/** Whether two texts are the same, in a time that tells nothing of where they differ. */
export const sameSecret = (one: string, other: string): boolean => {
  let differences = one.length ^ other.length
  for (let i = 0; i < one.length; i++) differences |= one.charCodeAt(i) ^ other.charCodeAt(i)
  return differences === 0
}
