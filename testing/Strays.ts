/*
 * What would make one run of a simulation differ from the next: the machine's own time and chance, and the promises of its
 * thread pool.
 */

type Replacement = readonly [target: object, name: string, value: unknown]

/** What is done instead while a simulation runs. */
export interface Strays {
  /** who asked for the machine's own time, each with its stack */
  readonly met: () => ReadonlyArray<string>
  /** WebCrypto's results that nobody has been given yet: gives the oldest; undefined when there is none */
  readonly giveNext: () => Promise<void> | undefined
  readonly restore: () => void
}

/** Whoever waits in the machine's own time, or asks for it. */
const forbidden: ReadonlyArray<readonly [object, string]> = [
  [globalThis, "setTimeout"],
  [globalThis, "setInterval"],
  [globalThis, "setImmediate"],
  [Date, "now"]
]

const cryptoCalls = [
  "decrypt",
  "deriveBits",
  "digest",
  "encrypt",
  "exportKey",
  "generateKey",
  "importKey",
  "sign",
  "verify"
] as const

/**
 * Forbids the machine's own time, and has `Math.random` (by which Effect tells objects apart) repeat itself. What WebCrypto
 * does in its threads comes in the order in which it was asked for, one at a time.
 */
export const forbidStrays = (chance: () => number): Strays => {
  const met: Array<string> = []
  const waiting: Array<() => Promise<void>> = []

  const refuse = (name: string) => (): never => {
    const error = new Error(`${name} was called in a simulation`)
    met.push(error.stack ?? error.message)
    throw error
  }

  const inOrder =
    (call: (...args: ReadonlyArray<unknown>) => Promise<unknown>) =>
    (...args: ReadonlyArray<unknown>): Promise<unknown> => {
      const result = Promise.resolve(call.apply(crypto.subtle, args as Array<unknown>))
      const { promise, reject, resolve } = Promise.withResolvers<unknown>()
      waiting.push(() => result.then(resolve, reject))
      return promise
    }

  const subtle = crypto.subtle as unknown as Record<string, (...args: ReadonlyArray<unknown>) => Promise<unknown>>
  const replacements: ReadonlyArray<Replacement> = [
    ...forbidden.map(([target, name]): Replacement => [target, name, refuse(name)]),
    [Math, "random", chance],
    ...cryptoCalls.flatMap((name): ReadonlyArray<Replacement> => {
      const call = subtle[name]
      return call === undefined ? [] : [[subtle, name, inOrder(call)]]
    })
  ]
  const undo = replacements.map(([target, name, value]) => {
    const before = Object.getOwnPropertyDescriptor(target, name)
    Object.defineProperty(target, name, { value, configurable: true, writable: true })
    return () => {
      if (before === undefined) Reflect.deleteProperty(target, name)
      else Object.defineProperty(target, name, before)
    }
  })

  return {
    met: () => met,
    giveNext: () => waiting.shift()?.(),
    restore: () => undo.forEach((one) => one())
  }
}
