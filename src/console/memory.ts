/** What this browser remembers of how its user likes it: never a secret, and nothing that matters if it is lost. */

const keyOf = (name: string): string => `camera-service.${name}`

export const recall = <A>(name: string, is: (value: unknown) => value is A): A | undefined => {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(keyOf(name)) ?? "null")
    return is(value) ? value : undefined
  } catch {
    // no storage, or not ours
    return undefined
  }
}

const isOrder = (value: unknown): value is ReadonlyArray<string> =>
  Array.isArray(value) && value.every((name) => typeof name === "string")

/** The cameras of the wall as their user has moved them. */
export const recallOrder = (): ReadonlyArray<string> => recall("order", isOrder) ?? []

export const remember = (name: string, value: unknown): void => {
  try {
    localStorage.setItem(keyOf(name), JSON.stringify(value))
  } catch {
    // a browser that keeps nothing forgets it with the page
  }
}
