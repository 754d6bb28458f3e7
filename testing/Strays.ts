/*
 * What would make one run of a simulation differ from the next: the machine's own time, chance and files, and the promises of
 * its thread pool.
 */

type Replacement = readonly [target: object, name: string, value: unknown]

/** What is done instead while a simulation runs. */
export interface Strays {
  /** who asked for the machine's own time or files, each with its stack */
  readonly met: () => ReadonlyArray<string>
  /** WebCrypto's results that nobody has been given yet: gives the oldest; undefined when there is none */
  readonly giveNext: () => Promise<void> | undefined
  readonly restore: () => void
}

/** Whoever waits in the machine's own time, or asks for it; `new Date()` does so, too. */
const forbidden: ReadonlyArray<readonly [object, string]> = [
  [globalThis, "setTimeout"],
  [globalThis, "setInterval"],
  [globalThis, "setImmediate"],
  [Date, "now"],
  [process.hrtime, "bigint"],
  [process, "uptime"]
]

/**
 * Of `node:fs`, what finds a file by its path: what is open is the runner's, which writes what is said. A name is one of all
 * three, which are called, called back and promised.
 */
const fileCalls =
  /^(access|appendFile|chmod|chown|copyFile|cp|createReadStream|createWriteStream|exists|glob|link|lstat|mkdir|mkdtemp|open|opendir|readFile|readdir|readlink|realpath|rename|rm|rmdir|stat|statfs|symlink|truncate|unlink|utimes|watch|watchFile|writeFile)(Sync)?$/

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
 * Forbids the machine's own time and files, and has `Math.random` (by which Effect tells objects apart) repeat itself. What WebCrypto
 * does in its threads comes in the order in which it was asked for, one at a time.
 */
export const forbidStrays = (chance: () => number): Strays => {
  const met: Array<string> = []
  const waiting: Array<() => Promise<void>> = []

  const refuse = (name: string): never => {
    const error = new Error(`${name} was called in a simulation`)
    met.push(error.stack ?? error.message)
    throw error
  }
  const refused = ([target, name]: readonly [object, string]): Replacement => [target, name, () => refuse(name)]

  const machinesDate = new Proxy(Date, {
    apply: () => refuse("Date"),
    construct: (target, args, made) => (args.length === 0 ? refuse("new Date") : Reflect.construct(target, args, made))
  })

  const fs = process.getBuiltinModule("node:fs")
  const files = [fs, fs.promises].flatMap((target) =>
    Object.keys(target).flatMap((name) => (fileCalls.test(name) ? [[target, name] as const] : []))
  )

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
    ...[...forbidden, ...files].map(refused),
    [globalThis, "Date", machinesDate],
    [process, "hrtime", Object.assign(() => refuse("hrtime"), { bigint: () => refuse("hrtime.bigint") })],
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

  // what was imported by its name
  const { syncBuiltinESMExports } = process.getBuiltinModule("node:module")
  syncBuiltinESMExports()

  return {
    met: () => met,
    giveNext: () => waiting.shift()?.(),
    restore: () => {
      undo.forEach((one) => one())
      syncBuiltinESMExports()
    }
  }
}
