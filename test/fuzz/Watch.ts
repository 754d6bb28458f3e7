import * as fc from "fast-check"

/** What may be in a header, a URL, a JSON text and a password alike; long enough to be nobody's by chance. */
const canary = fc
  .array(fc.constantFrom(..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), {
    minLength: 20,
    maxLength: 60
  })
  .map((letters) => letters.join(""))

/** Secrets by what they are; and where they were seen. */
export interface Watch {
  readonly secrets: Map<string, string>
  readonly replies: Array<string>
  /** makes one that is looked for from now on */
  readonly make: (what: string) => string
  /** one that is shown once, by the reply that makes it */
  readonly learn: (what: string, secret: string) => string
}

export const watchFor = (seed: number): Watch => {
  const secrets = new Map<string, string>()
  const made = fc.sample(canary, { seed, numRuns: 200 })
  const learn = (what: string, secret: string) => {
    secrets.set(what, secret)
    return secret
  }
  return { secrets, replies: [], learn, make: (what) => learn(what, made.pop() ?? "") }
}
